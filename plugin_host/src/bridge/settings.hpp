// What an artist sets, as plain structs; the defaults, bounds and presets of
// gvm_client/settings.py.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "bridge/knobs.hpp"
#include "bridge/tables.hpp"

namespace gvm::bridge {

/// How a clip is cut into windows.
enum class PlanKind { kSeamless, kReference };

/// How frames are grouped and sized for the model.
struct WindowSettings {
  std::int64_t frames_per_window = 8;
  std::int64_t overlap = 1;
  std::int64_t decode_chunk = 0;  // 0 means the whole window
  std::int64_t steps = 1;
  std::int64_t size = 720;
  std::int64_t max_resolution = 1024;
  PlanKind plan = PlanKind::kSeamless;

  /// Throws Error (bad_request) where a value is out of its range.
  void check() const;
};

/// What the denoiser starts from.
enum class Noise { kZeros, kGaussian };

/// What is done when the device's memory runs out.
enum class OnOom { kFail, kBackoff };

/// Which weights, and what to do when memory is short. A host must know beforehand which frames a
/// window has, so this side never asks for `fit_memory`.
struct ModelSettings {
  std::string weights, unet, lora;
  Noise noise = Noise::kZeros;
  std::int64_t seed = 0;
  OnOom on_oom = OnOom::kFail;
  bool fit_memory = false;

  /// Throws Error (bad_request) where a value is out of its range.
  void check() const;
};

/// A named bundle of window settings; the protocol's `auto` is not one: see ModelSettings.
struct Preset {
  const char* name;
  WindowSettings window;
};

inline constexpr std::array<Preset, 7> kPresets{{
    {"default", {8, 1, 0, 1, 720, 1024}},
    {"low_memory", {4, 1, 4, 1, 512, 720}},
    {"balanced", {8, 1, 8, 1, 720, 960}},
    {"high_quality", {16, 2, 16, 3, 720, 1280}},
    {"production", {16, 2, 16, 3, 720, 1280}},
    {"fast_test", {8, 1, 8, 1, 720, 720}},
    {"prototype", {4, 1, 4, 1, 720, 512}},
}};

}  // namespace gvm::bridge
