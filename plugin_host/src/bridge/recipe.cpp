#include "bridge/recipe.hpp"

#include <sys/stat.h>

namespace gvm::bridge {
namespace {

Hasher begin(const Wish& wish) {
  const WindowSettings& window = wish.window;
  Hasher hasher;
  hasher.value(window.frames_per_window).value(window.overlap).value(window.decode_chunk);
  hasher.value(window.steps).value(window.size).value(window.max_resolution).value(window.plan);
  hasher.value(wish.engine).text(wish.colourspace).value(wish.bad_pixels);
  hasher.file(wish.context.ocio).text(wish.context.weights);
  for (const std::string& variable : wish.context.ocio_variables) hasher.text(variable);
  return hasher;
}

Hash alpha_key(const Wish& wish, const Hash& model, std::int64_t frame) {
  const MatteKnobs& knobs = wish.knobs;
  Hasher hasher;
  hasher.value(model).value(frame);
  for (const RealKnob& knob : kRealKnobs) hasher.value(knobs.*knob.value);
  for (const SwitchKnob& knob : kSwitchKnobs) hasher.value(knobs.*knob.value);
  return hasher.end();
}

/// Of the windows that see `seen`: their settings, the clip, their frames.
Hash model_key(const Wish& wish, const HostClip& clip, const Window& seen,
               const FrameHashes& plate) {
  Hasher hasher = begin(wish);
  hasher.value(clip.first).value(clip.last).value(clip.width).value(clip.height);
  hasher.value(clip.pixel_aspect);
  for (std::int64_t frame = seen.first; frame <= seen.last; ++frame) {
    hasher.value(frame).value(plate.at(frame));
  }
  return hasher.end();
}

Plan plan_of(const Wish& wish, const HostClip& clip) {
  wish.window.check();
  wish.knobs.check();
  Plan plan{clip.first, clip.last, wish.window.frames_per_window, wish.window.overlap,
            wish.window.plan};
  plan.check();
  return plan;
}

}  // namespace

Recipe recipe_for(const Wish& wish, const HostClip& clip, std::int64_t frame, PlateReader& reader,
                  const Watch& watch) {
  const Plan plan = plan_of(wish, clip);
  const Window seen = needs(plan, frame);
  Recipe recipe;
  recipe.frame = frame;
  for (std::int64_t number = seen.first; number <= seen.last; ++number) {
    watch.check();
    recipe.plate[number] = reader.key(number);
  }
  recipe.model = model_key(wish, clip, seen, recipe.plate);
  for (const Window& window : windows_covering(plan, frame)) {
    recipe.windows.push_back(model_key(wish, clip, window, recipe.plate));
  }
  const Window together = made_together(plan, frame);
  for (std::int64_t number = together.first; number <= together.last; ++number) {
    const Hash model = model_key(wish, clip, needs(plan, number), recipe.plate);
    recipe.alphas[number] = alpha_key(wish, model, number);
  }
  return recipe;
}

Hash identity_of(const HostClip& clip) {
  return Hasher().text(clip.name).value(clip.first).value(clip.last).end();
}

Hash identity_of(const FileFrame& plate) { return Hasher().text(plate.path).end(); }

std::optional<Hash> key_of(const Wish& wish, const FileFrame& plate) {
  struct stat status {};
  if (stat(plate.path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  Hasher hasher = begin(wish);
  hasher.file(plate.path);
  if (const std::optional<Shown>& shown = plate.shown) {
    hasher.value(shown->aspect).value(shown->search);
    hasher.bytes(shown->ranks.data(), shown->ranks.size() * sizeof shown->ranks[0]);
  }
  return alpha_key(wish, hasher.end(), plate.frame);
}

}  // namespace gvm::bridge
