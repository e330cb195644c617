// Written by plugin_host/make_tables.py from nodes/gvm_client: do not edit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace gvm::bridge {

/// The words of an enum on the wire, in the order of its members.
template <class Enum>
inline constexpr std::array<const char*, 0> kWords{};
/// What an artist reads for each, where they have labels of their own.
template <class Enum>
inline constexpr std::array<const char*, 0> kLabels{};

/// How a clip is cut into windows.
enum class PlanKind { kSeamless, kReference };
template <>
inline constexpr std::array kWords<PlanKind>{"seamless", "reference"};

/// How frames are grouped and sized for the model; every field is part of the keys.
struct WindowSettings {
  std::int64_t frames_per_window = 8;
  std::int64_t overlap = 1;
  std::int64_t decode_chunk = 0;
  std::int64_t steps = 1;
  std::int64_t size = 720;
  std::int64_t max_resolution = 1024;
  PlanKind plan = PlanKind::kSeamless;
};

/// What the denoiser starts from.
enum class Noise { kZeros, kGaussian };
template <>
inline constexpr std::array kWords<Noise>{"zeros", "gaussian"};

/// What is done when the device's memory runs out and nothing free of cost is left to give.
enum class OnOom { kFail, kBackoff };
template <>
inline constexpr std::array kWords<OnOom>{"fail", "backoff"};

/// Which weights, what the denoiser starts from, and what to do when memory is short.
struct ModelSettings {
  std::string weights;
  std::string unet;
  std::string lora;
  Noise noise = Noise::kZeros;
  std::int64_t seed = 0;
  OnOom on_oom = OnOom::kFail;
  bool fit_memory = false;
};

/// Values that are proven.
struct MatteKnobs {
  double black = 0.0;
  double white = 1.0;
  double gamma = 1.0;
  double grow = 0.0;
  double blur = 0.0;
  bool invert = false;
  std::string refine = "guided";
  double exposure = 0.0;
  std::string highlights = "rolloff";
};

/// A number of WindowSettings: its field, and its parameter in a host's panel.
struct WindowNumber {
  const char* param;
  std::int64_t WindowSettings::*value;
};

inline constexpr std::array<WindowNumber, 6> kWindowNumbers{{
    {"framesPerWindow", &WindowSettings::frames_per_window},
    {"overlap", &WindowSettings::overlap},
    {"decodeChunk", &WindowSettings::decode_chunk},
    {"steps", &WindowSettings::steps},
    {"size", &WindowSettings::size},
    {"maxResolution", &WindowSettings::max_resolution},
}};

/// A named bundle of window settings.
struct Preset {
  const char *name, *label;
  WindowSettings window;
};

inline constexpr std::array<Preset, 7> kPresets{{
    {"default", "Default", {8, 1, 0, 1, 720, 1024, PlanKind::kSeamless}},
    {"low_memory", "Low Memory", {4, 1, 4, 1, 512, 720, PlanKind::kSeamless}},
    {"balanced", "Balanced", {8, 1, 8, 1, 720, 960, PlanKind::kSeamless}},
    {"high_quality", "High Quality", {16, 2, 16, 3, 720, 1280, PlanKind::kSeamless}},
    {"production", "Production", {16, 2, 16, 3, 720, 1280, PlanKind::kSeamless}},
    {"fast_test", "Fast Test", {8, 1, 8, 1, 720, 720, PlanKind::kSeamless}},
    {"prototype", "Prototype", {4, 1, 4, 1, 720, 512, PlanKind::kSeamless}},
}};

/// A knob that is a number: its field, and its parameter.
struct RealKnob {
  const char *name, *param, *label, *help;
  double MatteKnobs::*value;
  double low, high, slider_low, slider_high;
  bool is_bounded, is_length;  // of full-size pixels, of which a proxy has fewer
  bool reruns_model;  // else it is of the finish alone
  bool lifts_zero;    // above 0 it makes something of an alpha of 0
};

/// A knob that is on or off.
struct SwitchKnob {
  const char *name, *param, *label, *help;
  bool MatteKnobs::*value;
  bool reruns_model, lifts_zero;
};

/// A knob that is one of some words.
struct ChoiceKnob {
  const char *name, *param, *label, *help;
  std::string MatteKnobs::*value;
  bool reruns_model;
  std::size_t count;
  std::array<const char*, 4> words, labels;
};

inline constexpr std::array<RealKnob, 6> kRealKnobs{{
    {"black", "matteBlack", "Black", "Alpha that becomes 0.", &MatteKnobs::black,
     -1000.0, 1000.0, 0.0, 1.0, false, false, false, false},
    {"white", "matteWhite", "White", "Alpha that becomes 1.", &MatteKnobs::white,
     -1000.0, 1000.0, 0.0, 1.0, false, false, false, false},
    {"gamma", "matteGamma", "Gamma", "Above 1 thickens soft edges.", &MatteKnobs::gamma,
     0.01, 100.0, 0.2, 5.0, true, false, false, false},
    {"grow", "matteGrow", "Grow", "Plate pixels, fractions allowed; negative shrinks.", &MatteKnobs::grow,
     -256.0, 256.0, -20.0, 20.0, true, true, false, true},
    {"blur", "matteBlur", "Blur", "Gaussian sigma, plate pixels.", &MatteKnobs::blur,
     0.0, 256.0, 0.0, 20.0, true, true, false, true},
    {"exposure", "matteExposure", "Exposure", "Stops by which the model sees the plate brighter or darker.", &MatteKnobs::exposure,
     -8.0, 8.0, -4.0, 4.0, true, false, true, false},
}};

inline constexpr std::array<SwitchKnob, 1> kSwitchKnobs{{
    {"invert", "matteInvert", "Invert", "1 becomes 0.", &MatteKnobs::invert, false, true},
}};

inline constexpr std::array<ChoiceKnob, 2> kChoiceKnobs{{
    {"refine", "matteRefine", "Refine", "Edges at plate size: none, guided by the plate, detail, octave by octave, for plates of 2.5 times the model's size and more, or tiles, the model again on parts of the plate.", &MatteKnobs::refine, false, 4,
     {"none", "guided", "detail", "tiles"},
     {"None", "Guided", "Detail", "Tiles"}},
    {"highlights", "matteHighlights", "Highlights", "Light above white, as the model sees it: rolloff keeps what is brighter apart, clip makes all of it white.", &MatteKnobs::highlights, true, 2,
     {"rolloff", "clip"},
     {"Rolloff", "Clip"}},
}};

}  // namespace gvm::bridge
