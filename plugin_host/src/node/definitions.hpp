// Names, choices and versions of the GVM Matte node: what projects save, so nothing here is
// renamed and no choice is reordered; new ones go to the end.
//
// Version history (major: old projects break; minor: a parameter or choice was added):
//   1.0  first release
//   1.1  readMedia, badPixels, plateCheck
//   1.2  matteExposure, matteHighlights, matteRefine
//   1.3  useRegion, regionLowerLeft, regionUpperRight, regionScale; guideFeather;
//        outputMode: Edge as RGB
//   1.4  matteRefine: tiles
//   1.5  outputMode: Foreground, Foreground Premultiplied; despill
#pragma once

#include <array>
#include <cstddef>

#include "bridge/messages.hpp"

namespace gvm::node {

inline constexpr char kIdentifier[] = "org.gvmbridge.matte";
inline constexpr unsigned kVersionMajor = 1;
inline constexpr unsigned kVersionMinor = 5;
inline constexpr char kLabel[] = "GVM Matte";
inline constexpr char kGrouping[] = "GVM";
inline constexpr char kDescription[] =
    "An alpha for the clip, without trimap or green screen: a local GVM server mattes windows of "
    "frames, and this node lays the result over the source.";

inline constexpr char kGarbageClip[] = "Garbage";  // forces alpha to 0
inline constexpr char kHoldoutClip[] = "Holdout";  // forces alpha to 1

namespace param {
inline constexpr char kEngine[] = "engine";
inline constexpr char kPreset[] = "preset";
inline constexpr char kOutput[] = "outputMode";
inline constexpr char kDespill[] = "despill";
inline constexpr char kOnError[] = "onError";

inline constexpr char kWindowGroup[] = "windowGroup";

inline constexpr char kColourGroup[] = "colourGroup";
inline constexpr char kColourspace[] = "inputColourspace";
inline constexpr char kColourspaceName[] = "inputColourspaceName";
inline constexpr char kBadPixels[] = "badPixels";

inline constexpr char kRegionGroup[] = "regionGroup";
inline constexpr char kUseRegion[] = "useRegion";
inline constexpr char kRegionLowerLeft[] = "regionLowerLeft";
inline constexpr char kRegionUpperRight[] = "regionUpperRight";
inline constexpr char kRegionScale[] = "regionScale";

inline constexpr char kMatteGroup[] = "matteGroup";
inline constexpr char kGuideFeather[] = "guideFeather";

inline constexpr char kRangeGroup[] = "rangeGroup";
inline constexpr char kRangeFirst[] = "rangeFirst";
inline constexpr char kRangeLast[] = "rangeLast";
inline constexpr char kMatteRange[] = "matteRange";
inline constexpr char kClearClip[] = "clearClip";

inline constexpr char kPlateGroup[] = "plateGroup";
inline constexpr char kPlateFile[] = "plateFile";
inline constexpr char kPlateOffset[] = "plateOffset";
inline constexpr char kReadMedia[] = "readMedia";
inline constexpr char kPlateCheck[] = "plateCheck";

inline constexpr char kServerGroup[] = "serverGroup";
inline constexpr char kStartServer[] = "startServer";
inline constexpr char kTimeout[] = "timeout";
inline constexpr char kAskStatus[] = "askStatus";
inline constexpr char kStatus[] = "status";
}  // namespace param

enum class OutputMode {
  kUnpremultiplied,
  kPremultiplied,
  kMatteAsRgb,
  kSource,
  kEdgeAsRgb,
  kForeground,
  kForegroundPremultiplied,
};
constexpr bool is_opaque(OutputMode mode) {
  return mode == OutputMode::kMatteAsRgb || mode == OutputMode::kEdgeAsRgb;
}
/// Whether the colours are the subject's own, without the background's.
constexpr bool is_foreground(OutputMode mode) {
  return mode == OutputMode::kForeground || mode == OutputMode::kForegroundPremultiplied;
}
constexpr bool is_premultiplied(OutputMode mode) {
  return mode == OutputMode::kPremultiplied || mode == OutputMode::kForegroundPremultiplied;
}
enum class OnError { kFail, kBlack, kSource };
enum class PlateCheck { kRefuse, kSearch, kNone };
enum class Colourspace { kAuto, kSrgb, kSceneLinear, kAcescg, kRec709, kRaw, kNamed, kHost };

// Labels of choices, in the order of their enums.
inline constexpr std::array kOutputLabels{"Source with Matte in Alpha", "Premultiplied",
                                          "Matte as RGB", "Source Unchanged", "Edge as RGB",
                                          "Foreground", "Foreground Premultiplied"};
inline constexpr std::array kDespillLabels{"None", "Green", "Blue"};
static_assert(kDespillLabels.size() == bridge::kWords<bridge::Despill>.size());

/// An alpha is in the edge where it is further than this from 0 and from 1, as in `matte.edge`.
inline constexpr float kSolid = 0.02f;
inline constexpr std::array kOnErrorLabels{"Fail", "Black Matte", "Source Unchanged"};
inline constexpr std::array kPlateCheckLabels{"Refuse Other Pictures", "Search the Clip",
                                              "Do Not Compare"};
inline constexpr auto& kEngineLabels = bridge::kLabels<bridge::EngineName>;
inline constexpr std::array kColourspaceLabels{"Automatic",   "sRGB",        "Scene Linear",
                                               "ACEScg",      "Rec.709",     "Raw",
                                               "Named Below", "Host-Managed"};

inline constexpr std::array kBadPixelsLabels{"Fail", "Read as Black"};
static_assert(kEngineLabels.size() == bridge::kWords<bridge::EngineName>.size());
static_assert(kBadPixelsLabels.size() == bridge::kWords<bridge::BadPixels>.size());

/// A preset's choice is 1 more than its place in bridge::kPresets: 0 is "Custom".
inline constexpr auto kPresetLabels = [] {
  std::array<const char*, bridge::kPresets.size() + 1> labels{"Custom"};
  for (std::size_t index = 0; index < bridge::kPresets.size(); ++index) {
    labels[index + 1] = bridge::kPresets[index].label;
  }
  return labels;
}();

/// What the server calls each colour space; the last two are looked up.
inline constexpr std::array kColourspaceWords{
    "auto", "srgb", "scene_linear", "acescg", "rec709", "raw", "", ""};

/// Bounds of Time-Out, in seconds.
inline constexpr double kShortestTimeout = 1.0, kLongestTimeout = 86400.0;

/// A render below this scale is a thumbnail: it never starts work on the GPU.
inline constexpr double kTinyScale = 0.125;

}  // namespace gvm::node
