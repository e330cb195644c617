// The parts of the node that answer an artist's clicks: presets, the range, the cache, the status.

#include <algorithm>
#include <string>

#include "bridge/errors.hpp"
#include "bridge/plural.hpp"
#include "bridge/recipe.hpp"
#include "bridge/status.hpp"
#include "gvm_definitions.hpp"
#include "matting.hpp"
#include "plugin.hpp"

namespace gvm::plugin {

ofx::Status Plugin::changed(ofx::PropertySet in) {
  const Properties properties(in);
  const std::string name = properties.text(ofx::kPropName);
  if (properties.text(ofx::kPropType) == ofx::kTypeClip) {
    sequence_.forget();
    source_.forget_regions();
    return ofx::kOk;
  }
  if (properties.text(ofx::kPropChangeReason) != ofx::kChangeUserEdited) {
    return ofx::kReplyDefault;
  }
  const double time = properties.number(ofx::kPropTime, 0, 0.0);
  if (name == param::kPreset) {
    fill_in_preset(params_);
  } else if (std::find(kPresetParams.begin(), kPresetParams.end(), name) != kPresetParams.end()) {
    params_.set_integer(param::kPreset, 0);
  } else if (name == param::kMatteRange) {
    matte_range(time);
  } else if (name == param::kClearClip) {
    forget_clip(time);
  } else if (name == param::kAskStatus) {
    ask_status();
  } else {
    return ofx::kReplyDefault;
  }
  return ofx::kOk;
}

void Plugin::matte_range(double time) {
  const bridge::Window clip = source_.range(time);
  bridge::Window range{params_.integer(param::kRangeFirst), params_.integer(param::kRangeLast)};
  if (range.first == 0 && range.last == 0) range = clip;
  range = {std::max(range.first, clip.first), std::min(range.last, clip.last)};
  try {
    params_.set_text(param::kStatus, matte_frames(range, time));
    show(ofx::kMessageMessage, "");
  } catch (const bridge::Error& error) {
    params_.set_text(param::kStatus, error.text());
    show(ofx::kMessageError, error.text());
  }
}

/// Mattes a range with a progress bar; returns what became of it.
std::string Plugin::matte_frames(bridge::Window range, double time) {
  NodeSettings node = settings(1.0);
  node.wish.priority = bridge::Priority::kRange;
  ProgressBar bar(instance_, "Matting");
  std::int64_t done = 0;
  const auto total = static_cast<double>(std::max<std::int64_t>(range.length(), 1));
  const bridge::Watch watch{[&] { return bar.cancelled_at(static_cast<double>(done) / total); }};
  try {
    std::unique_ptr<HostPlate> plate;
    if (node.plate_file.empty()) {
      std::shared_ptr<HostImage> image = HostImage::fetch(source_.handle(), time);
      if (!image) {
        throw bridge::Error(bridge::code::kPlateMissing, "The source gives no picture here.");
      }
      plate = std::make_unique<HostPlate>(source_, time, Scale{}, image, sequence_, watch);
    }
    for (std::int64_t frame = range.first; frame <= range.last; ++frame, ++done) {
      watch.check();
      if (plate) {
        plate->matte(node.wish, frame);
      } else {
        const bridge::FileFrame on_disk{node.plate_file, frame + node.plate_offset};
        desk()->alpha(node.wish, on_disk, watch);
      }
    }
  } catch (const bridge::Aborted&) {
    return "Cancelled after " + bridge::counted(done, "frame") + "; what is finished is kept.";
  }
  return "Matted " + bridge::counted(done, "frame") + ".";
}

void Plugin::forget_clip(double time) {
  const bridge::HostClip clip =
      source_.describe(source_.range(time), {}, bridge::PixelType::kFloat);
  desk()->forget(bridge::identity_of(clip));
  const std::string file = params_.text(param::kPlateFile);
  if (!file.empty()) desk()->forget(bridge::identity_of(bridge::FileFrame{file, 0}));
  params_.set_text(param::kStatus, "This clip's mattes are forgotten here.");
}

void Plugin::ask_status() {
  std::string line;
  try {
    line = bridge::status_line();
    line += " The source is read as " + settings(1.0).wish.colourspace + ".";
  } catch (const bridge::Error& error) {
    line = error.text();
  }
  {
    const std::lock_guard lock(shown_mutex_);
    if (!shown_.empty()) line += " Last said: " + shown_;
  }
  params_.set_text(param::kStatus, line);
}

}  // namespace gvm::plugin
