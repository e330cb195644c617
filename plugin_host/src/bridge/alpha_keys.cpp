#include "bridge/alpha_keys.hpp"

#include <filesystem>

#include "bridge/generated/limits.hpp"
#include "bridge/platform.hpp"

namespace gvm::bridge {
namespace {

/// The knobs of what the model sees, or those of the finish.
void add_knobs(Hasher& hasher, const MatteKnobs& knobs, bool reruns_model) {
  for (const RealKnob& knob : kRealKnobs) {
    if (knob.reruns_model == reruns_model) hasher.value(knobs.*knob.value);
  }
  for (const SwitchKnob& knob : kSwitchKnobs) {
    if (knob.reruns_model == reruns_model) hasher.value(knobs.*knob.value);
  }
  for (const ChoiceKnob& knob : kChoiceKnobs) {
    if (knob.reruns_model == reruns_model) hasher.text(knobs.*knob.value);
  }
}

/// Everything but the plate that the windows' results depend on.
Hasher begin(const MatteOptions& options) {
  const WindowSettings& window = options.window;
  Hasher hasher;
  for (const WindowNumber& number : kWindowNumbers) hasher.value(window.*number.value);
  hasher.value(window.plan);
  hasher.value(options.engine).text(options.colourspace).value(options.bad_pixels);
  hasher.file(options.context.ocio).text(options.context.weights);
  for (const std::string& variable : options.context.ocio_variables) hasher.text(variable);
  add_knobs(hasher, options.knobs, true);
  hasher.value(options.roi_scale);
  for (const Region& region : options.regions) {
    hasher.value(region.x).value(region.y).value(region.width).value(region.height);
  }
  return hasher;
}

Hash alpha_key(const MatteOptions& options, const Hash& inference, std::int64_t frame) {
  Hasher hasher;
  hasher.value(inference).value(frame);
  add_knobs(hasher, options.knobs, false);
  hasher.value(options.foreground).value(options.despill);
  return hasher.end();
}

/// Of the results of the windows within `seen`: their options, the clip, their frames' hashes.
Hash inference_key(const MatteOptions& options, const HostClip& clip, const Window& seen,
                   const FrameHashes& plate) {
  Hasher hasher = begin(options);
  hasher.value(clip.first).value(clip.last).value(clip.width).value(clip.height);
  hasher.value(clip.pixel_aspect);
  for (std::int64_t frame = seen.first; frame <= seen.last; ++frame) {
    hasher.value(frame).value(plate.at(frame));
  }
  return hasher.end();
}

/// Of one window's own result: what its engine sees, and which of it is the window.
Hash window_key(const MatteOptions& options, const HostClip& clip, const Window& window,
                const Window& seen, const FrameHashes& plate) {
  Hasher hasher;
  hasher.value(inference_key(options, clip, seen, plate)).value(window.first).value(window.last);
  return hasher.end();
}

Plan plan_of(const MatteOptions& options, const HostClip& clip) {
  check(options.window);
  check(options.knobs);
  Plan plan{clip.first, clip.last, options.window.frames_per_window, options.window.overlap,
            options.window.plan, {}, reach_of(options.engine)};
  plan.check();
  return plan;
}

}  // namespace

std::int64_t reach_of(EngineName engine) {
  return kEngineReaches[static_cast<std::size_t>(engine)];
}

AlphaKeys alpha_keys(const MatteOptions& options, const HostClip& clip, std::int64_t frame,
                     PlateReader& reader, const CancelToken& token) {
  const Plan plan = plan_of(options, clip);
  const Window seen = needs(plan, frame);
  AlphaKeys keys;
  keys.frame = frame;
  for (std::int64_t number = seen.first; number <= seen.last; ++number) {
    token.check();
    keys.plate[number] = reader.key(number);
  }
  keys.inference = inference_key(options, clip, seen, keys.plate);
  for (const Window& window : windows_covering(plan, frame)) {
    keys.windows.push_back(
        window_key(options, clip, window, seen_by(plan, window), keys.plate));
  }
  const Window together = made_together(plan, frame);
  for (std::int64_t number = together.first; number <= together.last; ++number) {
    const Hash inference = inference_key(options, clip, needs(plan, number), keys.plate);
    keys.alphas[number] = alpha_key(options, inference, number);
  }
  return keys;
}

Hash identity_of(const HostClip& clip) {
  return Hasher().text(clip.name).value(clip.first).value(clip.last).end();
}

Hash identity_of(const FileFrame& plate) { return Hasher().text(plate.path).end(); }

std::optional<Hash> key_of(const MatteOptions& options, const FileFrame& plate) {
  const std::optional<FileFacts> facts = facts_of(std::filesystem::u8path(plate.path));
  if (!facts || !facts->regular) return std::nullopt;
  Hasher hasher = begin(options);
  hasher.file(plate.path);
  if (const std::optional<Shown>& shown = plate.shown) {
    hasher.value(shown->aspect).value(shown->search);
    hasher.bytes(shown->ranks.data(), shown->ranks.size() * sizeof shown->ranks[0]);
  }
  return alpha_key(options, hasher.end(), plate.frame);
}

}  // namespace gvm::bridge
