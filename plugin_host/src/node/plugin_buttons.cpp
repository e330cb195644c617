// The parts of the node that answer an artist's clicks: presets, the range, the cache, the status.

#include <algorithm>
#include <string>

#include "bridge/alpha_keys.hpp"
#include "bridge/client.hpp"
#include "bridge/errors.hpp"
#include "bridge/text.hpp"
#include "node/definitions.hpp"
#include "node/plate.hpp"
#include "node/plugin.hpp"

namespace gvm::node {
namespace {

std::string extent(const bridge::Window& range) {
  return std::to_string(range.first) + "-" + std::to_string(range.last);
}

/// The range that the artist set. Throws Error (range_outside): the clip has nothing of it.
bridge::Window wanted_range(const NodeParams& params, const bridge::Window& clip) {
  const bridge::Window range{params.integer(param::kRangeFirst),
                             params.integer(param::kRangeLast)};
  if (range.first == 0 && range.last == 0) return clip;
  if (range.last < range.first) {
    throw bridge::Error(bridge::code::kRangeOutside,
                        "First, " + std::to_string(range.first) + ", lies after Last, " +
                            std::to_string(range.last) + ".",
                        "Swap them.");
  }
  if (range.last < clip.first || range.first > clip.last) {
    throw bridge::Error(
        bridge::code::kRangeOutside,
        "The range " + extent(range) + " lies outside the source, which is " + extent(clip) + ".",
        "Set First and Last to frames of the source, or both to 0 for all of it.");
  }
  return range;
}

/// Whether a parameter is one of those that a preset fills in.
bool is_window_number(const std::string& name) {
  return std::any_of(bridge::kWindowNumbers.begin(), bridge::kWindowNumbers.end(),
                     [&](const bridge::WindowNumber& number) { return name == number.param; });
}

}  // namespace

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
  } else if (name == param::kUseRegion) {
    begin_region(time);
  } else if (is_window_number(name)) {
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

/// Lets a region that nobody has drawn yet be the whole picture, so that there is one to draw on.
void Plugin::begin_region(double time) {
  const ofx::RectD drawn = read_region(params_);
  if (drawn.x1 < drawn.x2 && drawn.y1 < drawn.y2) return;
  const std::optional<ofx::RectD> whole = source_.whole(source_.range(time), time);
  if (!whole) return;
  params_.set_point(param::kRegionLowerLeft, {whole->x1, whole->y1});
  params_.set_point(param::kRegionUpperRight, {whole->x2, whole->y2});
}

void Plugin::matte_range(double time) {
  try {
    const bridge::Window clip = source_.range(time);
    const bridge::Window wanted = wanted_range(params_, clip);
    const bridge::Window range{std::max(wanted.first, clip.first),
                               std::min(wanted.last, clip.last)};
    const bool whole = range == wanted;
    const std::string outside = whole ? ""
                                      : " The rest of " + extent(wanted) +
                                            " is outside the source's " + extent(clip) + ".";
    params_.set_text(param::kStatus, matte_frames(range) + outside);
    show(ofx::kMessageMessage, "");
  } catch (const bridge::Error& error) {
    params_.set_text(param::kStatus, panel_text(error));
    show(ofx::kMessageError, panel_text(error));
  }
}

/// Mattes a range of the source with a progress bar; returns what became of it.
std::string Plugin::matte_frames(const bridge::Window& range) {
  NodeSettings node = settings(1.0);
  node.options.priority = bridge::Priority::kRange;
  ProgressBar bar(instance_, "Matting");
  std::int64_t done = 0;
  const auto total = static_cast<double>(std::max<std::int64_t>(range.length(), 1));
  const bridge::CancelToken token{
      [&] { return bar.cancelled_at(static_cast<double>(done) / total); }};
  try {
    std::unique_ptr<HostPlate> plate;
    if (node.plate_file.empty()) {
      // The playhead may stand outside of the source.
      const auto time = static_cast<double>(range.first);
      std::shared_ptr<HostImage> image = HostImage::fetch(source_.handle(), time);
      if (!image) {
        throw bridge::Error(
            bridge::code::kPlateMissing,
            "The source gives no picture of frame " + std::to_string(range.first) + ".",
            "Connect the source, or set First to a frame that it has.");
      }
      plate = std::make_unique<HostPlate>(source_, time, Scale{}, image, sequence_, token);
    }
    const bridge::MatteOptions options =
        with_region(node, source_, plate ? plate->canvas() : full_canvas(range), Scale{});
    for (std::int64_t frame = range.first; frame <= range.last; ++frame, ++done) {
      token.check();
      if (plate) {
        plate->matte(options, frame);
      } else {
        bridge::job_tracker()->alpha(options, frame_on_disk(node, frame), token);
      }
    }
  } catch (const bridge::Aborted&) {
    return "Cancelled after " + bridge::counted(done, "frame") + "; what is finished is kept.";
  }
  return "Matted " + bridge::counted(done, "frame") + ".";
}

/// The pixels that are matted at full size.
ofx::RectI Plugin::full_canvas(const bridge::Window& range) const {
  return source_.canvas(source_.range(static_cast<double>(range.first)),
                        static_cast<double>(range.first), Scale{}, {});
}

/// A frame of the plate file, with what the host shows there if it gives pictures of other times.
bridge::FileFrame Plugin::frame_on_disk(const NodeSettings& node, std::int64_t frame) {
  const auto time = static_cast<double>(frame);
  const DiskFrame disk{{node.plate_file, frame + node.plate_offset}, node.plate_check};
  if (!Host::get().temporal_access || disk.check == PlateCheck::kNone) return disk.frame;
  const std::unique_ptr<HostImage> image = HostImage::fetch(source_.handle(), time);
  if (!image) return disk.frame;
  const ofx::RectI canvas = source_.canvas(source_.range(time), time, Scale{}, image->bounds());
  return with_thumbnail(disk, *image, canvas, source_.aspect(canvas, Scale{}));
}

void Plugin::forget_clip(double time) {
  const bridge::HostClip clip =
      source_.describe(source_.range(time), {}, bridge::PixelType::kFloat);
  bridge::job_tracker()->forget(bridge::identity_of(clip));
  const std::string file = params_.text(param::kPlateFile);
  if (!file.empty())
    bridge::job_tracker()->forget(bridge::identity_of(bridge::FileFrame{file, 0}));
  params_.set_text(param::kStatus, "This clip's mattes are forgotten here.");
}

void Plugin::ask_status() {
  std::string line;
  try {
    line = bridge::status_line();
    line += " The source is read as " + settings(1.0).options.colourspace + ".";
  } catch (const bridge::Error& error) {
    line = error.text();
  }
  {
    const std::lock_guard lock(shown_mutex_);
    if (!shown_.empty()) line += " Last said: " + shown_;
  }
  params_.set_text(param::kStatus, line);
}

}  // namespace gvm::node
