// OpenFX 1.5.1: the image effect suite and the properties of effects, clips and images.
#pragma once

#include "openfx/core.h"

namespace ofx {

inline constexpr char kImageEffectSuite[] = "OfxImageEffectSuite";

struct ImageEffectSuiteV1 {
  Status (*getPropertySet)(Effect, PropertySet* properties);
  Status (*getParamSet)(Effect, ParamSet* params);
  Status (*clipDefine)(Effect, const char* name, PropertySet* properties);
  Status (*clipGetHandle)(Effect, const char* name, Clip* clip, PropertySet* properties);
  Status (*clipGetPropertySet)(Clip, PropertySet* properties);
  Status (*clipGetImage)(Clip, Time time, const RectD* region, PropertySet* image);
  Status (*clipReleaseImage)(PropertySet image);
  Status (*clipGetRegionOfDefinition)(Clip, Time time, RectD* bounds);
  int (*abort)(Effect);  // 1 where the host cancels; not a status
  Status (*imageMemoryAlloc)(Effect, std::size_t bytes, ImageMemory* memory);
  Status (*imageMemoryFree)(ImageMemory);
  Status (*imageMemoryLock)(ImageMemory, void** bytes);
  Status (*imageMemoryUnlock)(ImageMemory);
};

// The effect and its host.
inline constexpr char kContext[] = "OfxImageEffectPropContext";
inline constexpr char kContextFilter[] = "OfxImageEffectContextFilter";
inline constexpr char kContextGeneral[] = "OfxImageEffectContextGeneral";
inline constexpr char kSupportedContexts[] = "OfxImageEffectPropSupportedContexts";
inline constexpr char kSupportedPixelDepths[] = "OfxImageEffectPropSupportedPixelDepths";
inline constexpr char kSupportedComponents[] = "OfxImageEffectPropSupportedComponents";
inline constexpr char kGrouping[] = "OfxImageEffectPluginPropGrouping";
inline constexpr char kSingleInstance[] = "OfxImageEffectPluginPropSingleInstance";
inline constexpr char kRenderThreadSafety[] = "OfxImageEffectPluginRenderThreadSafety";
inline constexpr char kRenderFullySafe[] = "OfxImageEffectRenderFullySafe";
inline constexpr char kHostFrameThreading[] = "OfxImageEffectPluginPropHostFrameThreading";
inline constexpr char kSupportsMultiResolution[] = "OfxImageEffectPropSupportsMultiResolution";
inline constexpr char kSupportsTiles[] = "OfxImageEffectPropSupportsTiles";
inline constexpr char kTemporalClipAccess[] = "OfxImageEffectPropTemporalClipAccess";
inline constexpr char kFieldRenderTwiceAlways[] = "OfxImageEffectPluginPropFieldRenderTwiceAlways";
inline constexpr char kMultipleClipDepths[] = "OfxImageEffectPropMultipleClipDepths";
inline constexpr char kMultipleClipPars[] = "OfxImageEffectPropSupportsMultipleClipPARs";
inline constexpr char kClipPreferencesSlaveParam[] = "OfxImageEffectPropClipPreferencesSlaveParam";
inline constexpr char kColourManagementStyle[] = "OfxImageEffectPropColourManagementStyle";
inline constexpr char kColourManagementConfigs[] =
    "OfxImageEffectPropColourManagementAvailableConfigs";
inline constexpr char kColourManagementNone[] = "OfxImageEffectColourManagementNone";
inline constexpr char kColourManagementCore[] = "OfxImageEffectColourManagementCore";
inline constexpr char kNativeConfig[] = "ofx-native-v1.5_aces-v1.3_ocio-v2.3";

// Clips.
inline constexpr char kSourceClip[] = "Source";
inline constexpr char kOutputClip[] = "Output";
inline constexpr char kOptional[] = "OfxImageClipPropOptional";
inline constexpr char kIsMask[] = "OfxImageClipPropIsMask";
inline constexpr char kConnected[] = "OfxImageClipPropConnected";
inline constexpr char kFrameRange[] = "OfxImageEffectPropFrameRange";
inline constexpr char kClipColourspace[] = "OfxImageClipPropColourspace";

// Images; the first two also on clips.
inline constexpr char kPixelDepth[] = "OfxImageEffectPropPixelDepth";
inline constexpr char kComponents[] = "OfxImageEffectPropComponents";
inline constexpr char kPreMultiplication[] = "OfxImageEffectPropPreMultiplication";
inline constexpr char kPixelAspectRatio[] = "OfxImagePropPixelAspectRatio";
inline constexpr char kImageData[] = "OfxImagePropData";
inline constexpr char kImageRowBytes[] = "OfxImagePropRowBytes";
inline constexpr char kImageBounds[] = "OfxImagePropBounds";
inline constexpr char kImageUniqueIdentifier[] = "OfxImagePropUniqueIdentifier";

inline constexpr char kComponentsRgba[] = "OfxImageComponentRGBA";
inline constexpr char kComponentsRgb[] = "OfxImageComponentRGB";
inline constexpr char kComponentsAlpha[] = "OfxImageComponentAlpha";
inline constexpr char kDepthByte[] = "OfxBitDepthByte";
inline constexpr char kDepthShort[] = "OfxBitDepthShort";
inline constexpr char kDepthHalf[] = "OfxBitDepthHalf";
inline constexpr char kDepthFloat[] = "OfxBitDepthFloat";
inline constexpr char kOpaque[] = "OfxImageOpaque";
inline constexpr char kPreMultiplied[] = "OfxImageAlphaPremultiplied";
inline constexpr char kUnPreMultiplied[] = "OfxImageAlphaUnPremultiplied";

// Arguments of actions.
inline constexpr char kRenderWindow[] = "OfxImageEffectPropRenderWindow";
inline constexpr char kRenderScale[] = "OfxImageEffectPropRenderScale";
inline constexpr char kThumbnailRender[] = "OfxImageEffectPropThumbnailRender";
inline constexpr char kFrameVarying[] = "OfxImageEffectFrameVarying";

// In answers, the clip's name follows; the headers have no macro for these.
inline constexpr char kFrameRangeOf[] = "OfxImageClipPropFrameRange_";
inline constexpr char kRegionOfDefinition[] = "OfxImageEffectPropRegionOfDefinition";
inline constexpr char kProjectSize[] = "OfxImageEffectPropProjectSize";
inline constexpr char kProjectOffset[] = "OfxImageEffectPropProjectOffset";
inline constexpr char kRegionOfInterestOf[] = "OfxImageClipPropRoI_";
inline constexpr char kComponentsOf[] = "OfxImageClipPropComponents_";

// Blackmagic's, not of the standard; each may be missing.
inline constexpr char kResolveSourcePath[] = "OfxImageEffectPropSrcFilePath";
inline constexpr char kResolveSourceFrame[] = "OfxImageEffectPropSrcFrame";
// An int of the source clip's instance, not of a render; with a k, as the header has it.
inline constexpr char kResolveThumbnail[] = "kOfxImageClipPropThumbnail";

}  // namespace ofx
