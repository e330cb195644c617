#include "node/plugin.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "bridge/alpha_keys.hpp"
#include "bridge/errors.hpp"
#include "node/definitions.hpp"

namespace gvm::node {
namespace {

using bridge::Error;

ofx::Clip clip_called(ofx::Effect instance, const char* name) {
  ofx::Clip clip = nullptr;
  const ofx::Status status = Host::get().effect->clipGetHandle(instance, name, &clip, nullptr);
  return status == ofx::kOk ? clip : nullptr;
}

/// A mask's image; null where it is not connected or gives nothing (Resolve reports it as
/// connected anyway).
std::unique_ptr<HostImage> mask_at(ofx::Clip clip, double time) {
  if (!clip) return nullptr;
  ofx::PropertySet set = nullptr;
  Host::get().effect->clipGetPropertySet(clip, &set);
  if (!Properties(set).integer(ofx::kConnected, 0, 0)) return nullptr;
  return HostImage::fetch(clip, time);
}

std::string property_of(const char* prefix, const char* clip) {
  return std::string(prefix) + clip;
}

/// Whether a text was not shown by any instance of this process yet.
bool is_new_text(const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string> told;
  const std::lock_guard lock(mutex);
  return told.insert(text).second;
}

/// Whether the trouble is with a file, so that the host's own frames may do.
bool is_about_file(const Error& error) {
  return error.code().rfind("plate_", 0) == 0 || error.code() == "path_refused" ||
         error.code() == bridge::code::kRangeOutside;
}

/// What an artist should know of a matte, in sentences.
std::string notes_of(const bridge::Alpha& alpha) {
  std::string notes;
  if (!alpha.roi_cut.empty()) {
    notes = "The matte touches the region's border (" + alpha.roi_cut +
            "): the subject is cut there. Make the region larger.";
  }
  if (alpha.preview) {
    notes += std::string(notes.empty() ? "" : " ") +
             "Preview matte: made by the preview engine, not by GVM.";
  }
  return notes;
}

/// Throws Error (bad_request) where a plate on disk is not the clip's pixels: a region would lie
/// elsewhere in it.
void check_size(const bridge::Alpha& alpha, const ofx::RectI& canvas) {
  if (alpha.width == width(canvas) && alpha.height == height(canvas)) return;
  const auto size = [](std::int64_t wide, std::int64_t high) {
    return std::to_string(wide) + "x" + std::to_string(high);
  };
  throw Error(bridge::code::kBadRequest,
              "The plate file's picture is " + size(alpha.width, alpha.height) +
                  " pixels and the clip " + size(width(canvas), height(canvas)) +
                  ": the region would lie elsewhere in it.",
              "Switch Use Region off, or name a file of the clip's own size.");
}

}  // namespace

/// The arguments of a render.
struct Plugin::RenderArguments {
  explicit RenderArguments(ofx::PropertySet in) : handle(in) {
    const Properties properties(in);
    time = properties.number(ofx::kPropTime, 0, 0.0);
    scale.x = properties.number(ofx::kRenderScale, 0, 1.0);
    scale.y = properties.number(ofx::kRenderScale, 1, scale.x);
    properties.rectangle(ofx::kRenderWindow, window);
    thumbnail = properties.text(ofx::kThumbnailRender) == "true" ||
                std::min(scale.x, scale.y) < kTinyScale;
  }

  ofx::PropertySet handle;
  double time;
  Scale scale;
  ofx::RectI window{};
  bool thumbnail;
};

Plugin::Plugin(ofx::Effect instance)
    : instance_(instance),
      params_(instance),
      source_(instance),
      output_(clip_called(instance, ofx::kOutputClip)),
      garbage_(clip_called(instance, kGarbageClip)),
      holdout_(clip_called(instance, kHoldoutClip)) {}

ofx::Status Plugin::clip_preferences(ofx::PropertySet out) const {
  const auto mode = static_cast<OutputMode>(params_.integer(param::kOutput));
  if (mode == OutputMode::kSource) return ofx::kReplyDefault;
  const char* const premultiplication = is_premultiplied(mode) ? ofx::kPreMultiplied
                                        : is_opaque(mode)      ? ofx::kOpaque
                                                               : ofx::kUnPreMultiplied;
  const Properties answer(out);
  answer.set(property_of(ofx::kComponentsOf, ofx::kOutputClip).c_str(), ofx::kComponentsRgba);
  answer.set(ofx::kPreMultiplication, premultiplication).set(ofx::kFrameVarying, 0);
  return ofx::kOk;
}

ofx::Status Plugin::frames_needed(ofx::PropertySet in, ofx::PropertySet out) const {
  const double time = Properties(in).number(ofx::kPropTime, 0, 0.0);
  const bridge::Window range = source_.range(time);
  const std::string name = property_of(ofx::kFrameRangeOf, ofx::kSourceClip);
  const Properties answer(out);
  int index = 0;
  const auto add = [&](double first, double last) {
    answer.set(name.c_str(), first, index).set(name.c_str(), last, index + 1);
    index += 2;
  };
  const bool source_only =
      params_.integer(param::kOutput) == static_cast<int>(OutputMode::kSource) ||
      Properties(in).text(ofx::kThumbnailRender) == "true" || source_.is_thumbnail();
  if (!source_only && Host::get().temporal_access && params_.text(param::kPlateFile).empty()) {
    // Wrong numbers are reported by the render: hosts do not handle an error here.
    const bridge::WindowSettings window = read_window(params_);
    const std::int64_t frames = std::max<std::int64_t>(window.frames_per_window, 1);
    const std::int64_t overlap = std::clamp<std::int64_t>(window.overlap, 0, frames / 2);
    const std::int64_t frame = frame_at(time);
    bool holds = false;
    const auto add_windows = [&](const bridge::Window& clip) {
      bridge::Plan plan{clip.first, clip.last, frames, overlap};
      plan.reach = bridge::reach_of(read_engine(params_));
      const bridge::Window needed = bridge::needs(plan, std::clamp(frame, clip.first, clip.last));
      add(static_cast<double>(needed.first), static_cast<double>(needed.last));
      holds = holds || needed.holds(frame);
    };
    add_windows(range);
    // Where the host does not give what other instances have, the render goes by this one's own.
    const bridge::Window own = source_.own_range(time);
    if (!(own == range)) add_windows(own);
    if (holds && time == static_cast<double>(frame)) return ofx::kOk;
  }
  // What is laid under the matte: outside of the clip, or between its frames, no window has it.
  add(time, time);
  return ofx::kOk;
}

/// The whole picture where the matte knobs leave something around the source.
ofx::Status Plugin::region_of_definition(ofx::PropertySet in, ofx::PropertySet out) const {
  const double time = Properties(in).number(ofx::kPropTime, 0, 0.0);
  const bool matte = params_.integer(param::kOutput) != static_cast<int>(OutputMode::kSource);
  const bridge::MatteKnobs knobs = read_knobs(params_, 1.0);
  if (!matte || !bridge::reaches_out(knobs)) return ofx::kReplyDefault;
  const std::optional<ofx::RectD> whole = source_.whole(source_.range(time), time);
  if (!whole) return ofx::kReplyDefault;
  int index = 0;
  for (const double side : {whole->x1, whole->y1, whole->x2, whole->y2}) {
    Properties(out).set(ofx::kRegionOfDefinition, side, index++);
  }
  return ofx::kOk;
}

ofx::Status Plugin::regions_of_interest(ofx::PropertySet in, ofx::PropertySet out) const {
  ofx::RectD whole{};
  if (!source_.region(Properties(in).number(ofx::kPropTime, 0, 0.0), whole)) {
    return ofx::kReplyDefault;
  }
  const std::string name = property_of(ofx::kRegionOfInterestOf, ofx::kSourceClip);
  int index = 0;
  for (const double side : {whole.x1, whole.y1, whole.x2, whole.y2}) {
    Properties(out).set(name.c_str(), side, index++);
  }
  return ofx::kOk;
}

ofx::Status Plugin::is_identity(ofx::PropertySet in, ofx::PropertySet out) const {
  const auto mode = static_cast<OutputMode>(params_.integer(param::kOutput));
  if (mode != OutputMode::kSource) return ofx::kReplyDefault;
  Properties(out).set(ofx::kPropName, ofx::kSourceClip);
  Properties(out).set(ofx::kPropTime, Properties(in).number(ofx::kPropTime, 0, 0.0));
  return ofx::kOk;
}

ofx::Status Plugin::begin_sequence(ofx::PropertySet in) {
  const Properties properties(in);
  const double first = properties.number(ofx::kFrameRange, 0, 0.0);
  const double last = properties.number(ofx::kFrameRange, 1, first);
  const bool interactive = properties.integer(ofx::kPropIsInteractive, 0, 1) != 0;
  sequence_.begin(last > first && !interactive);
  source_.forget_regions();
  return ofx::kOk;
}

ofx::Status Plugin::end_sequence() {
  sequence_.end();
  return ofx::kOk;
}

ofx::Status Plugin::render(ofx::PropertySet in) {
  const RenderArguments arguments(in);
  const std::unique_ptr<HostImage> output = HostImage::fetch_output(output_, arguments.time);
  if (!output) return ofx::kFailed;
  const std::shared_ptr<HostImage> source = HostImage::fetch(source_.handle(), arguments.time);
  Layers layers;
  layers.source = source.get();
  if (!source && Host::get().aborted(instance_)) return ofx::kFailed;
  if (!source || arguments.thumbnail || source_.is_thumbnail()) {
    const auto wanted = static_cast<OutputMode>(params_.integer(param::kOutput));
    const OutputMode mode = source                          ? OutputMode::kSource
                            : wanted == OutputMode::kSource ? OutputMode::kUnpremultiplied
                                                            : wanted;
    if (!source && wanted != OutputMode::kSource && inverts()) layers.outside = 1.0f;
    composite(layers, mode, arguments.window, *output);
    return ofx::kOk;
  }
  try {
    return render_matte(arguments, settings(arguments.scale.x), layers, source, *output);
  } catch (const bridge::Aborted&) {
    return ofx::kFailed;
  } catch (const Error& error) {
    show(ofx::kMessageError, panel_text(error));
    const auto choice = static_cast<OnError>(params_.integer(param::kOnError));
    const auto mode = static_cast<OutputMode>(params_.integer(param::kOutput));
    // Also where the render fails: some hosts do not look at its status.
    composite(layers, choice == OnError::kBlack ? mode : OutputMode::kSource, arguments.window,
              *output);
    return choice == OnError::kFail ? ofx::kFailed : ofx::kOk;
  }
}

ofx::Status Plugin::render_matte(const RenderArguments& arguments, const NodeSettings& node,
                                 Layers& layers, const std::shared_ptr<HostImage>& source,
                                 const HostImage& output) {
  if (node.output == OutputMode::kSource) {
    composite(layers, node.output, arguments.window, output);
    return ofx::kOk;
  }
  const bridge::AlphaPtr alpha = matte(arguments, node, layers, source);
  const auto garbage = mask_at(garbage_, arguments.time);
  const auto holdout = mask_at(holdout_, arguments.time);
  Layers whole = layers;
  whole.outside = inverts() ? 1.0f : 0.0f;
  whole.alpha = alpha.get();
  whole.garbage = garbage.get();
  whole.holdout = holdout.get();
  whole.feather = node.guide_feather;
  composite(whole, node.output, arguments.window, output);
  show(ofx::kMessageMessage, notes_of(*alpha));
  return ofx::kOk;
}

bridge::AlphaPtr Plugin::matte(const RenderArguments& arguments, const NodeSettings& node,
                               Layers& layers, const std::shared_ptr<HostImage>& source) {
  layers.canvas = source_.canvas(source_.range(arguments.time), arguments.time, arguments.scale,
                                 source->bounds());
  if (bridge::AlphaPtr alpha = matte_of_disk(arguments, node, layers.canvas, *source))
    return alpha;
  const bridge::CancelToken token{[this] { return Host::get().aborted(instance_); }};
  const auto of_host = [&] {
    HostPlate plate(source_, arguments.time, arguments.scale, source, sequence_, token);
    layers.canvas = plate.canvas();
    return plate.matte(with_region(node, source_, layers.canvas, arguments.scale),
                       frame_at(arguments.time));
  };
  try {
    return of_host();
  } catch (const Error& error) {
    // The range of another instance may reach to frames that the host does not give this one.
    const bool missing = error.code() == bridge::code::kPlateMissing;
    if (!missing || !source_.use_own_range(arguments.time)) throw;
    return of_host();
  }
}

/// The matte of the plate on disk; null where there is none, or none of the host's picture.
bridge::AlphaPtr Plugin::matte_of_disk(const RenderArguments& arguments, const NodeSettings& node,
                                       const ofx::RectI& canvas, const HostImage& source) {
  const auto disk =
      disk_frame(instance_, node, source_.range(arguments.time), arguments.time, arguments.handle);
  if (!disk) return nullptr;
  const bridge::CancelToken token{[this] { return Host::get().aborted(instance_); }};
  try {
    const double aspect = source_.aspect(canvas, arguments.scale);
    const ofx::RectI full =
        source_.canvas(source_.range(arguments.time), arguments.time, Scale{}, source.bounds());
    const bridge::AlphaPtr alpha =
        bridge::job_tracker()->alpha(with_region(node, source_, full, Scale{}),
                                     with_thumbnail(*disk, source, canvas, aspect), token);
    if (node.region) check_size(*alpha, full);
    return alpha;
  } catch (const Error& error) {
    if (!disk->optional || !is_about_file(error)) throw;
    return nullptr;
  }
}

/// Shows a sentence on the node, or takes it away; each change once.
void Plugin::show(const char* type, const std::string& text) {
  const std::lock_guard lock(shown_mutex_);
  if (text == shown_) return;
  shown_ = text;
  if (text.empty()) {
    Host::get().clear_message(instance_);
  } else if (Host::get().message2 || is_new_text(text)) {
    // Without it a message may be a window that waits for a click, and hosts make many instances.
    Host::get().show_message(instance_, type, text);
  }
}

NodeSettings Plugin::settings(double scale) const {
  return read_settings(params_, scale, source_.colourspace());
}

}  // namespace gvm::node
