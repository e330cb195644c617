#include "node/plugin_factory.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <string>
#include <vector>

#include "bridge/messages.hpp"
#include "node/definitions.hpp"
#include "node/host.hpp"
#include "node/overlay.hpp"

namespace gvm::node {
namespace {

constexpr const char* kOfferedDepths[] = {ofx::kDepthFloat, ofx::kDepthHalf, ofx::kDepthShort,
                                          ofx::kDepthByte};

/// Defines parameters one after the other; each belongs to the group that was opened last.
class ParamWriter {
 public:
  explicit ParamWriter(ofx::ParamSet set) : set_(set) {}

  void group(const char* name, const char* label, bool open) {
    parent_ = nullptr;
    define(ofx::kParamGroup, name, label, "").set(ofx::kParamGroupOpen, open ? 1 : 0);
    parent_ = name;
  }

  static constexpr double kFarthest = 4.0 * bridge::kMaxBufferSide;  // of a place; wide pixels

  struct Range {
    double low, high, shown_low, shown_high;
  };

  Properties integer(const char* name, const char* label, const char* hint, int value,
                     const Range& range) {
    const Properties made = valued(ofx::kParamInteger, name, label, hint);
    made.set(ofx::kParamDefault, value);
    made.set(ofx::kParamMin, static_cast<int>(range.low));
    made.set(ofx::kParamMax, static_cast<int>(range.high));
    made.set(ofx::kParamDisplayMin, static_cast<int>(range.shown_low));
    made.set(ofx::kParamDisplayMax, static_cast<int>(range.shown_high));
    return made;
  }

  void real(const char* name, const char* label, const char* hint, double value,
            const Range& range) {
    const Properties made = valued(ofx::kParamDouble, name, label, hint);
    made.set(ofx::kParamDefault, value).set(ofx::kParamIncrement, 0.01).set(ofx::kParamDigits, 3);
    made.set(ofx::kParamMin, range.low).set(ofx::kParamMax, range.high);
    made.set(ofx::kParamDisplayMin, range.shown_low);
    made.set(ofx::kParamDisplayMax, range.shown_high);
  }

  /// A place in the picture, in canonical coordinates.
  void position(const char* name, const char* label, const char* hint) {
    const Properties made = valued(ofx::kParamDouble2D, name, label, hint);
    made.set(ofx::kParamDoubleType, ofx::kDoubleTypePosition);
    for (int dimension = 0; dimension < 2; ++dimension) {
      made.set(ofx::kParamDefault, 0.0, dimension);
      made.set(ofx::kParamIncrement, 1.0, dimension).set(ofx::kParamDigits, 1, dimension);
      made.set(ofx::kParamMin, -kFarthest, dimension).set(ofx::kParamMax, kFarthest, dimension);
      made.set(ofx::kParamDisplayMin, 0.0, dimension);
      made.set(ofx::kParamDisplayMax, 4096.0, dimension);
    }
  }

  void boolean(const char* name, const char* label, const char* hint, bool value) {
    valued(ofx::kParamBoolean, name, label, hint).set(ofx::kParamDefault, value ? 1 : 0);
  }

  template <class Labels>
  void choice(const char* name, const char* label, const char* hint, const Labels& labels,
              int chosen = 0) {
    const Properties made = valued(ofx::kParamChoice, name, label, hint);
    for (std::size_t index = 0; index < labels.size(); ++index) {
      made.set(ofx::kParamChoiceOption, labels[index], static_cast<int>(index));
    }
    made.set(ofx::kParamDefault, chosen);
  }

  Properties text(const char* name, const char* label, const char* hint, const char* mode) {
    return valued(ofx::kParamString, name, label, hint)
        .set(ofx::kParamStringMode, mode)
        .set(ofx::kParamDefault, "");
  }

  void button(const char* name, const char* label, const char* hint) {
    define(ofx::kParamPushButton, name, label, hint).set(ofx::kParamEvaluateOnChange, 0);
  }

  /// A read-only text that is not saved with the project.
  void label(const char* name, const char* label, const char* hint) {
    text(name, label, hint, ofx::kStringIsLabel)
        .set(ofx::kParamPersistent, 0)
        .set(ofx::kParamEvaluateOnChange, 0)
        .set(ofx::kParamCanUndo, 0);
  }

 private:
  Properties define(const char* type, const char* name, const char* label, const char* hint) {
    ofx::PropertySet made = nullptr;
    Host::get().param->paramDefine(set_, type, name, &made);
    const Properties properties(made);
    properties.set(ofx::kPropLabel, label).set(ofx::kParamHint, hint);
    properties.set(ofx::kParamScriptName, name);
    if (parent_) properties.set(ofx::kParamParent, parent_);
    return properties;
  }

  /// Nothing that the server is asked for may change within a clip.
  Properties valued(const char* type, const char* name, const char* label, const char* hint) {
    return define(type, name, label, hint).set(ofx::kParamAnimates, 0);
  }

  ofx::ParamSet set_;
  const char* parent_ = nullptr;
};

void define_top(ParamWriter& params) {
  params.choice(param::kEngine, "Engine",
                "Automatic takes GVM where its weights are, else the preview engine, and says so.",
                kEngineLabels);
  params.choice(param::kPreset, "Preset",
                "A preset fills in the six numbers of Windows; changing one makes it Custom.",
                kPresetLabels);
  params.choice(param::kOutput, "Output",
                "What the node puts out. Foreground is the subject's own straight colours, without "
                "the background that shows through its edges.",
                kOutputLabels);
  params.choice(param::kDespill, "Despill",
                "The screen whose light is taken off the foreground.", kDespillLabels);
  params.choice(param::kOnError, "On Error", "What the node puts out where no matte can be had.",
                kOnErrorLabels);
}

/// A number of Windows in the panel.
struct WindowParam {
  std::int64_t bridge::WindowSettings::*value;
  const char *label, *hint;
  ParamWriter::Range range;
};
constexpr double kSide = bridge::kMaxSide;
constexpr double kFrames = bridge::kMaxFramesPerWindow;
constexpr std::array<WindowParam, bridge::kWindowNumbers.size()> kWindowParams{{
    {&bridge::WindowSettings::size,
     "Size",
     "Short edge of the model's frame, pixels.",
     {32, kSide, 256, 1080}},
    {&bridge::WindowSettings::max_resolution,
     "Max Resolution",
     "Longest edge of the model's frame, pixels.",
     {32, kSide, 256, 2048}},
    {&bridge::WindowSettings::frames_per_window,
     "Window",
     "Frames that the model sees together.",
     {1, kFrames, 1, 32}},
    {&bridge::WindowSettings::overlap,
     "Overlap",
     "Frames shared by consecutive windows, at most half of one.",
     {0, kFrames / 2, 0, 8}},
    {&bridge::WindowSettings::decode_chunk,
     "Decode Chunk",
     "Frames decoded together: less takes less memory. 0 is the whole window, the best.",
     {0, kFrames, 0, 32}},
    {&bridge::WindowSettings::steps,
     "Steps",
     "Denoising steps. GVM is a one-step model; more is experimental.",
     {1, bridge::kMaxSteps, 1, 5}},
}};

const char* name_of(const WindowParam& param) {
  return std::find_if(
             bridge::kWindowNumbers.begin(), bridge::kWindowNumbers.end(),
             [&](const bridge::WindowNumber& number) { return number.value == param.value; })
      ->param;
}

void define_window(ParamWriter& params) {
  const bridge::WindowSettings window;
  params.group(param::kWindowGroup, "Windows", true);
  for (const WindowParam& param : kWindowParams) {
    params.integer(name_of(param), param.label, param.hint, static_cast<int>(window.*param.value),
                   param.range);
  }
}

int place_of(const bridge::ChoiceKnob& knob, const std::string& word) {
  return static_cast<int>(std::find(knob.words.begin(), knob.words.end(), word) -
                          knob.words.begin());
}

void define_knobs(ParamWriter& params, bool reruns_model) {
  const bridge::MatteKnobs knobs;
  for (const bridge::RealKnob& knob : bridge::kRealKnobs) {
    if (knob.reruns_model != reruns_model) continue;
    params.real(knob.param, knob.label, knob.help, knobs.*knob.value,
                {knob.low, knob.high, knob.slider_low, knob.slider_high});
  }
  for (const bridge::SwitchKnob& knob : bridge::kSwitchKnobs) {
    if (knob.reruns_model != reruns_model) continue;
    params.boolean(knob.param, knob.label, knob.help, knobs.*knob.value);
  }
  for (const bridge::ChoiceKnob& knob : bridge::kChoiceKnobs) {
    if (knob.reruns_model != reruns_model) continue;
    const std::vector<const char*> labels(knob.labels.begin(), knob.labels.begin() + knob.count);
    params.choice(knob.param, knob.label, knob.help, labels, place_of(knob, knobs.*knob.value));
  }
}

void define_colour(ParamWriter& params) {
  params.group(param::kColourGroup, "Colour", true);
  params.choice(param::kColourspace, "Input Colour Space",
                "How the source's pixels are read. Automatic: what the host says, if it is known; "
                "else floats are scene-linear (in video hosts Rec.709), integers sRGB. "
                "Host-Managed takes what the host says, known or not. Ask for Status says which.",
                kColourspaceLabels);
  params.text(param::kColourspaceName, "Colour Space Name",
              "For Named Below: a colour space of the server's OCIO configuration.",
              ofx::kStringIsSingleLine);
  params.choice(param::kBadPixels, "Bad Pixels", "What is done with NaN and infinite pixels.",
                kBadPixelsLabels);
  define_knobs(params, true);
}

void define_region(ParamWriter& params) {
  const bridge::Matte whole;
  params.group(param::kRegionGroup, "Region", false);
  params.boolean(param::kUseRegion, "Use Region",
                 "Mattes only this rectangle, the same for the whole clip: work follows its area. "
                 "It is drawn in the viewer where the host lets a node draw. What is around it is "
                 "0; where the matte touches its border the subject is cut, and the node says so.",
                 false);
  params.position(param::kRegionLowerLeft, "Lower Left",
                  "The region's lower left corner, from the picture's lower left.");
  params.position(param::kRegionUpperRight, "Upper Right",
                  "The region's upper right corner, from the picture's lower left.");
  params.real(param::kRegionScale, "Region Scale",
              "Shows the region larger to the model, at its square of the work.", whole.roi_scale,
              {1.0, bridge::kMaxRegionScale, 1.0, bridge::kMaxRegionScale});
}

void define_matte(ParamWriter& params) {
  params.group(param::kMatteGroup, "Matte", true);
  define_knobs(params, false);
  const bridge::Guides guides;
  params.real(param::kGuideFeather, "Guide Feather",
              "A garbage and a holdout matte fade over so many pixels around them.",
              guides.guide_feather, {0.0, bridge::kMaxRadius, 0.0, 50.0});
}

void define_range(ParamWriter& params) {
  const ParamWriter::Range frames{INT_MIN, INT_MAX, 0, 2000};
  params.group(param::kRangeGroup, "Range", false);
  params
      .integer(param::kRangeFirst, "First", "First and Last both 0 mean the whole clip.", 0,
               frames)
      .set(ofx::kParamEvaluateOnChange, 0);
  params
      .integer(param::kRangeLast, "Last", "First and Last both 0 mean the whole clip.", 0, frames)
      .set(ofx::kParamEvaluateOnChange, 0);
  params.button(param::kMatteRange, "Matte Range Now",
                "Mattes the range, with a progress bar; every later render finds it finished.");
  params.button(param::kClearClip, "Clear This Clip's Mattes",
                "Forgets the clip's mattes in this program. The server's own cache stays; "
                "`gvm cache clear` empties it.");
}

void define_plate(ParamWriter& params) {
  params.group(param::kPlateGroup, "Plate on Disk", false);
  params
      .text(param::kPlateFile, "Plate File",
            "For hosts that give no neighbouring frames (MLT): the clip's own file or sequence. "
            "The server reads it, and mattes that the command line made of it are found. Empty: "
            "the host's frames are sent.",
            ofx::kStringIsFilePath)
      .set(ofx::kParamFilePathExists, 0);  // a pattern is no file
  params.integer(param::kPlateOffset, "Plate Offset",
                 "The plate file's frame number at the host's frame 0.", 0,
                 {INT_MIN, INT_MAX, -1000, 1000});
  params.choice(
      param::kPlateCheck, "Plate Check",
      "The source's picture is compared with the plate file's frame, whatever curve, gain "
      "or size it has. Another picture is an error, or the clip is searched for it (after "
      "a cut, at another frame rate).",
      kPlateCheckLabels);
}

void define_media(ParamWriter& params) {
  params.boolean(
      param::kReadMedia, "Read Clip's Media",
      "Resolve names the clip's movie: the server reads it itself, and fewer pixels are "
      "sent. Only where the node sees the clip as it was shot: with a zoom, a retime, a "
      "stabiliser or a node before it the matte would be of another picture.",
      false);
}

void define_server(ParamWriter& params) {
  params.group(param::kServerGroup, "Server", false);
  params.boolean(param::kStartServer, "Start Automatically",
                 "Starts a GVM server where none runs, when a frame is rendered.", true);
  params.real(param::kTimeout, "Time-Out", "Seconds that a render waits for its matte.", 600.0,
              {kShortestTimeout, kLongestTimeout, 10, 3600});
  params.button(param::kAskStatus, "Ask for Status", "Shows what the server is doing.");
  params.label(param::kStatus, "Status", "What the server said when it was asked last.");
}

void define_clip(ofx::Effect descriptor, const char* name, bool optional_mask) {
  ofx::PropertySet made = nullptr;
  Host::get().effect->clipDefine(descriptor, name, &made);
  const Properties clip(made);
  clip.set(ofx::kSupportsTiles, 0);
  if (optional_mask) {
    clip.set(ofx::kSupportedComponents, ofx::kComponentsAlpha, 0);
    clip.set(ofx::kSupportedComponents, ofx::kComponentsRgba, 1);
    clip.set(ofx::kOptional, 1).set(ofx::kIsMask, 1);
    return;
  }
  clip.set(ofx::kSupportedComponents, ofx::kComponentsRgba, 0);
  if (std::string(name) == ofx::kSourceClip) {
    clip.set(ofx::kSupportedComponents, ofx::kComponentsRgb, 1).set(ofx::kTemporalClipAccess, 1);
  } else if (Host::get().alpha_output) {
    clip.set(ofx::kSupportedComponents, ofx::kComponentsAlpha, 1);
  }
}

}  // namespace

ofx::Status describe(ofx::Effect descriptor) {
  const Host& host = Host::get();
  ofx::PropertySet set = nullptr;
  host.effect->getPropertySet(descriptor, &set);
  const Properties effect(set);
  effect.set(ofx::kPropLabel, kLabel).set(ofx::kGrouping, kGrouping);
  effect.set(ofx::kPropPluginDescription, kDescription);
  effect.set(ofx::kSupportedContexts, ofx::kContextFilter, 0);
  effect.set(ofx::kSupportedContexts, ofx::kContextGeneral, 1);
  int index = 0;
  for (const char* depth : kOfferedDepths) effect.set(ofx::kSupportedPixelDepths, depth, index++);
  effect.set(ofx::kRenderThreadSafety, ofx::kRenderFullySafe);
  effect.set(ofx::kHostFrameThreading, 0).set(ofx::kSingleInstance, 0);
  effect.set(ofx::kSupportsTiles, 0).set(ofx::kSupportsMultiResolution, 1);
  effect.set(ofx::kTemporalClipAccess, 1).set(ofx::kFieldRenderTwiceAlways, 0);
  effect.set(ofx::kMultipleClipDepths, 0).set(ofx::kMultipleClipPars, 0);
  effect.set(ofx::kClipPreferencesSlaveParam, param::kOutput);
  offer_overlay(set);
  if (host.colour_management) {
    effect.set(ofx::kColourManagementStyle, ofx::kColourManagementCore);
    effect.set(ofx::kColourManagementConfigs, ofx::kNativeConfig);
  }
  return ofx::kOk;
}

ofx::Status describe_in_context(ofx::Effect descriptor, ofx::PropertySet in) {
  const Host& host = Host::get();
  define_clip(descriptor, ofx::kSourceClip, false);
  define_clip(descriptor, ofx::kOutputClip, false);
  if (Properties(in).text(ofx::kContext) == ofx::kContextGeneral) {
    define_clip(descriptor, kGarbageClip, true);
    define_clip(descriptor, kHoldoutClip, true);
  }
  ofx::ParamSet set = nullptr;
  host.effect->getParamSet(descriptor, &set);
  ParamWriter params(set);
  define_top(params);
  define_window(params);
  define_colour(params);
  define_region(params);
  define_matte(params);
  define_range(params);
  define_plate(params);
  define_media(params);
  define_server(params);
  return ofx::kOk;
}

}  // namespace gvm::node
