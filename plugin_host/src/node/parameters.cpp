#include "node/parameters.hpp"

#include <algorithm>
#include <array>

#include "bridge/context.hpp"
#include "bridge/errors.hpp"
#include "node/host.hpp"

namespace gvm::node {
namespace {

using bridge::WindowSettings;

// OpenFX 1.5's names for what the server knows whatever its OCIO configuration is, and ACEScct,
// which every configuration of ACES has. Any other goes to that configuration.
struct HostColourspace {
  const char* ofx;
  const char* ours;
};
constexpr HostColourspace kHostColourspaces[] = {
    {"ofx_scene_linear", "scene_linear"},
    {"lin_rec709_srgb", "scene_linear"},
    {"ACEScg", "acescg"},
    {"srgb_display", "srgb"},
    {"srgb_tx", "srgb"},
    {"ofx_display_sdr", "rec709"},
    {"rec1886_rec709_display", "rec709"},
    {"g24_rec709_tx", "rec709"},
    {"g22_rec709_tx", "rec709"},
    {"camera_rec709", "rec709"},
    {"lin_rec2020", "linear(0.708 0.292 0.170 0.797 0.131 0.046 0.3127 0.3290)"},
    {"lin_p3d65", "linear(0.680 0.320 0.265 0.690 0.150 0.060 0.3127 0.3290)"},
    {"lin_davinci_widegamut", "linear(0.8000 0.3130 0.1682 0.9877 0.0790 -0.1155 0.3127 0.3290)"},
    {"ACES2065-1", "linear(0.7347 0.2653 0.0 1.0 0.0001 -0.0770 0.32168 0.33767)"},
    {"ACEScct", "ACEScct"},
    {"ofx_raw", "raw"},
    {"Raw", "raw"},
};

/// What an option is on the node, by its label; the longer ones first.
constexpr struct {
  const char* option;
  const char* label;
} kPanelWords[] = {
    {"--bad-pixels black", "the node's Bad Pixels (Read as Black)"},
    {"--input-colorspace", "the node's Input Colour Space"},
    {"--first and --last", "the node's Plate File and Plate Offset"},
    {"--frames-per-window", "Window"},
    {"--size", "Size"},
};

void replace_all(std::string& text, const std::string& word, const std::string& label) {
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at)) {
    text.replace(at, word.size(), label);
  }
}

template <class Enum, class Labels>
Enum choice(const NodeParams& params, const char* name, const Labels& labels) {
  const int last = static_cast<int>(labels.size()) - 1;
  return static_cast<Enum>(std::clamp(params.integer(name), 0, last));
}

/// The server's name for a host's; null where it is not known here.
const char* known_word(const std::string& name) {
  for (const HostColourspace& known : kHostColourspaces) {
    if (name == known.ofx) return known.ours;
  }
  return nullptr;
}

std::string colourspace(const NodeParams& params, const std::string& host_colourspace) {
  const auto chosen = choice<Colourspace>(params, param::kColourspace, kColourspaceLabels);
  if (chosen == Colourspace::kNamed) return params.text(param::kColourspaceName);
  const char* const known = known_word(host_colourspace);
  if (chosen == Colourspace::kHost) {
    if (!host_colourspace.empty()) return known ? known : host_colourspace;
    throw bridge::Error(bridge::code::kBadRequest,
                        "This host does not say which colour space the source has.",
                        "Choose the Input Colour Space.");
  }
  if (chosen == Colourspace::kAuto) return known ? known : Host::get().quirks.auto_colourspace;
  return kColourspaceWords[static_cast<std::size_t>(chosen)];
}

/// An expression may make anything of it, and not every host keeps to a parameter's bounds.
double timeout(const NodeParams& params) {
  const double seconds = params.real(param::kTimeout);
  if (kShortestTimeout <= seconds && seconds <= kLongestTimeout) return seconds;
  throw bridge::Error(bridge::code::kBadRequest, "Time-Out is " + std::to_string(seconds) +
                                                     "; it must be from 1 to 86400 seconds.");
}

/// In pixels of the full picture. As the time-out: no length at all would never end, or spoil the
/// alpha.
double guide_feather(const NodeParams& params) {
  const double pixels = params.real(param::kGuideFeather);
  if (0.0 <= pixels && pixels <= bridge::kMaxRadius) return pixels;
  throw bridge::Error(bridge::code::kBadRequest,
                      "Guide Feather is " + std::to_string(pixels) + "; it must be from 0 to " +
                          std::to_string(static_cast<int>(bridge::kMaxRadius)) + " pixels.");
}

}  // namespace

bridge::MatteKnobs read_knobs(const NodeParams& params, double scale) {
  bridge::MatteKnobs knobs;
  for (const bridge::RealKnob& knob : bridge::kRealKnobs) {
    knobs.*knob.value = params.real(knob.param) * (knob.is_length ? scale : 1.0);
  }
  for (const bridge::SwitchKnob& knob : bridge::kSwitchKnobs) {
    knobs.*knob.value = params.integer(knob.param) != 0;
  }
  for (const bridge::ChoiceKnob& knob : bridge::kChoiceKnobs) {
    const int last = static_cast<int>(knob.count) - 1;
    const int chosen = std::clamp(params.integer(knob.param), 0, last);
    knobs.*knob.value = knob.words[static_cast<std::size_t>(chosen)];
  }
  return knobs;
}

NodeParams::NodeParams(ofx::Effect instance) { Host::get().effect->getParamSet(instance, &set_); }

ofx::Param NodeParams::find(const char* name) const {
  ofx::Param found = nullptr;
  if (Host::get().param->paramGetHandle(set_, name, &found, nullptr) != ofx::kOk || !found) {
    throw bridge::Error(bridge::code::kBadRequest,
                        std::string("The host has lost the parameter ") + name + ".");
  }
  return found;
}

int NodeParams::integer(const char* name) const {
  int value = 0;
  Host::get().param->paramGetValue(find(name), &value);
  return value;
}

double NodeParams::real(const char* name) const {
  double value = 0.0;
  Host::get().param->paramGetValue(find(name), &value);
  return value;
}

std::string NodeParams::text(const char* name) const {
  char* value = nullptr;
  Host::get().param->paramGetValue(find(name), &value);
  return value ? value : "";
}

ofx::PointD NodeParams::point(const char* name) const {
  ofx::PointD value{};
  Host::get().param->paramGetValue(find(name), &value.x, &value.y);
  return value;
}

void NodeParams::set_integer(const char* name, int value) const {
  Host::get().param->paramSetValue(find(name), value);
}

void NodeParams::set_text(const char* name, const std::string& value) const {
  Host::get().param->paramSetValue(find(name), value.c_str());
}

void NodeParams::set_point(const char* name, const ofx::PointD& value) const {
  Host::get().param->paramSetValue(find(name), value.x, value.y);
}

ofx::RectD read_region(const NodeParams& params) {
  const ofx::PointD low = params.point(param::kRegionLowerLeft);
  const ofx::PointD high = params.point(param::kRegionUpperRight);
  return {low.x, low.y, high.x, high.y};
}

NodeSettings read_settings(const NodeParams& params, double scale,
                           const std::string& host_colourspace) {
  NodeSettings settings;
  settings.options.window = read_window(params);
  settings.options.knobs = read_knobs(params, scale);
  settings.options.engine = read_engine(params);
  settings.options.colourspace = colourspace(params, host_colourspace);
  settings.options.bad_pixels =
      choice<bridge::BadPixels>(params, param::kBadPixels, kBadPixelsLabels);
  settings.options.context = bridge::job_context();
  settings.options.may_start_server = params.integer(param::kStartServer) != 0;
  settings.options.timeout_seconds = timeout(params);
  settings.guide_feather = guide_feather(params) * scale;
  if (params.integer(param::kUseRegion) != 0) {
    settings.region = read_region(params);
    settings.options.roi_scale = params.real(param::kRegionScale);
  }
  settings.output = choice<OutputMode>(params, param::kOutput, kOutputLabels);
  if (is_foreground(settings.output)) {
    settings.options.foreground = true;
    settings.options.despill = choice<bridge::Despill>(params, param::kDespill, kDespillLabels);
  }
  settings.plate_file = params.text(param::kPlateFile);
  settings.plate_offset = params.integer(param::kPlateOffset);
  settings.read_media = params.integer(param::kReadMedia) != 0;
  settings.plate_check = choice<PlateCheck>(params, param::kPlateCheck, kPlateCheckLabels);
  return settings;
}

WindowSettings read_window(const NodeParams& params) {
  const int preset = params.integer(param::kPreset);
  if (0 < preset && preset <= static_cast<int>(bridge::kPresets.size())) {
    return bridge::kPresets[static_cast<std::size_t>(preset - 1)].window;
  }
  WindowSettings settings;
  for (const bridge::WindowNumber& number : bridge::kWindowNumbers) {
    settings.*number.value = params.integer(number.param);
  }
  return settings;
}

std::string panel_text(const bridge::Error& error) {
  std::string text = error.text();
  for (const auto& [option, label] : kPanelWords) replace_all(text, option, label);
  for (std::size_t engine = kEngineLabels.size(); engine-- > 0;) {  // variants come later
    replace_all(text, std::string("--engine ") + bridge::kWords<bridge::EngineName>[engine],
                std::string("the node's Engine (") + kEngineLabels[engine] + ")");
  }
  return text;
}

bridge::EngineName read_engine(const NodeParams& params) {
  return choice<bridge::EngineName>(params, param::kEngine, kEngineLabels);
}

void fill_in_preset(const NodeParams& params) {
  if (params.integer(param::kPreset) == 0) return;
  const WindowSettings settings = read_window(params);
  for (const bridge::WindowNumber& number : bridge::kWindowNumbers) {
    params.set_integer(number.param, static_cast<int>(settings.*number.value));
  }
}

}  // namespace gvm::node
