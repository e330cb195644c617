// Compares our declarations with an SDK's headers while compiling; built only where
// OFX_SDK_INCLUDE names one.

#include <cstddef>

#include "ofxColour.h"
#include "ofxCore.h"
#include "ofxDrawSuite.h"
#include "ofxImageEffect.h"
#include "ofxInteract.h"
#include "ofxMessage.h"
#include "ofxParam.h"
#include "ofxProgress.h"
#include "ofxProperty.h"
#include "openfx/core.h"
#include "openfx/effect.h"
#include "openfx/interact.h"
#include "openfx/message.h"
#include "openfx/param.h"
#include "openfx/property.h"

namespace {

constexpr bool equal(const char* left, const char* right) {
  while (*left && *left == *right) ++left, ++right;
  return *left == *right;
}

#define SAME_TEXT(ours, theirs) static_assert(equal(ofx::ours, theirs), #ours " differs")
#define SAME_NUMBER(ours, theirs) static_assert(ofx::ours == (theirs), #ours " differs")
#define SAME_SIZE(ours, theirs) \
  static_assert(sizeof(ofx::ours) == sizeof(theirs), #ours " has another size")
#define SAME_PLACE(ours, theirs, member)                                 \
  static_assert(offsetof(ofx::ours, member) == offsetof(theirs, member), \
                #ours "::" #member " lies elsewhere")

SAME_TEXT(kImageEffectPluginApi, kOfxImageEffectPluginApi);
SAME_TEXT(kActionLoad, kOfxActionLoad);
SAME_TEXT(kActionUnload, kOfxActionUnload);
SAME_TEXT(kActionDescribe, kOfxActionDescribe);
SAME_TEXT(kActionCreateInstance, kOfxActionCreateInstance);
SAME_TEXT(kActionDestroyInstance, kOfxActionDestroyInstance);
SAME_TEXT(kActionInstanceChanged, kOfxActionInstanceChanged);
SAME_TEXT(kActionPurgeCaches, kOfxActionPurgeCaches);
SAME_TEXT(kActionDescribeInContext, kOfxImageEffectActionDescribeInContext);
SAME_TEXT(kActionGetRegionOfDefinition, kOfxImageEffectActionGetRegionOfDefinition);
SAME_TEXT(kRegionOfDefinition, kOfxImageEffectPropRegionOfDefinition);
SAME_TEXT(kProjectSize, kOfxImageEffectPropProjectSize);
SAME_TEXT(kProjectOffset, kOfxImageEffectPropProjectOffset);
SAME_TEXT(kActionGetRegionsOfInterest, kOfxImageEffectActionGetRegionsOfInterest);
SAME_TEXT(kActionGetFramesNeeded, kOfxImageEffectActionGetFramesNeeded);
SAME_TEXT(kActionGetClipPreferences, kOfxImageEffectActionGetClipPreferences);
SAME_TEXT(kActionIsIdentity, kOfxImageEffectActionIsIdentity);
SAME_TEXT(kActionBeginSequenceRender, kOfxImageEffectActionBeginSequenceRender);
SAME_TEXT(kActionRender, kOfxImageEffectActionRender);
SAME_TEXT(kActionEndSequenceRender, kOfxImageEffectActionEndSequenceRender);
SAME_TEXT(kPropType, kOfxPropType);
SAME_TEXT(kPropName, kOfxPropName);
SAME_TEXT(kPropLabel, kOfxPropLabel);
SAME_TEXT(kPropTime, kOfxPropTime);
SAME_TEXT(kPropIsInteractive, kOfxPropIsInteractive);
SAME_TEXT(kPropChangeReason, kOfxPropChangeReason);
SAME_TEXT(kPropInstanceData, kOfxPropInstanceData);
SAME_TEXT(kPropPluginDescription, kOfxPropPluginDescription);
SAME_TEXT(kTypeParameter, kOfxTypeParameter);
SAME_TEXT(kTypeClip, kOfxTypeClip);
SAME_TEXT(kChangeUserEdited, kOfxChangeUserEdited);
SAME_TEXT(kImageEffectSuite, kOfxImageEffectSuite);
SAME_TEXT(kContext, kOfxImageEffectPropContext);
SAME_TEXT(kContextFilter, kOfxImageEffectContextFilter);
SAME_TEXT(kContextGeneral, kOfxImageEffectContextGeneral);
SAME_TEXT(kSupportedContexts, kOfxImageEffectPropSupportedContexts);
SAME_TEXT(kSupportedPixelDepths, kOfxImageEffectPropSupportedPixelDepths);
SAME_TEXT(kSupportedComponents, kOfxImageEffectPropSupportedComponents);
SAME_TEXT(kGrouping, kOfxImageEffectPluginPropGrouping);
SAME_TEXT(kSingleInstance, kOfxImageEffectPluginPropSingleInstance);
SAME_TEXT(kRenderThreadSafety, kOfxImageEffectPluginRenderThreadSafety);
SAME_TEXT(kRenderFullySafe, kOfxImageEffectRenderFullySafe);
SAME_TEXT(kHostFrameThreading, kOfxImageEffectPluginPropHostFrameThreading);
SAME_TEXT(kSupportsMultiResolution, kOfxImageEffectPropSupportsMultiResolution);
SAME_TEXT(kSupportsTiles, kOfxImageEffectPropSupportsTiles);
SAME_TEXT(kTemporalClipAccess, kOfxImageEffectPropTemporalClipAccess);
SAME_TEXT(kFieldRenderTwiceAlways, kOfxImageEffectPluginPropFieldRenderTwiceAlways);
SAME_TEXT(kMultipleClipDepths, kOfxImageEffectPropSupportsMultipleClipDepths);
SAME_TEXT(kMultipleClipPars, kOfxImageEffectPropSupportsMultipleClipPARs);
SAME_TEXT(kClipPreferencesSlaveParam, kOfxImageEffectPropClipPreferencesSlaveParam);
SAME_TEXT(kColourManagementStyle, kOfxImageEffectPropColourManagementStyle);
SAME_TEXT(kColourManagementConfigs, kOfxImageEffectPropColourManagementAvailableConfigs);
SAME_TEXT(kColourManagementNone, kOfxImageEffectColourManagementNone);
SAME_TEXT(kColourManagementCore, kOfxImageEffectColourManagementCore);
SAME_TEXT(kNativeConfig, kOfxConfigIdentifier);
SAME_TEXT(kSourceClip, kOfxImageEffectSimpleSourceClipName);
SAME_TEXT(kOutputClip, kOfxImageEffectOutputClipName);
SAME_TEXT(kOptional, kOfxImageClipPropOptional);
SAME_TEXT(kIsMask, kOfxImageClipPropIsMask);
SAME_TEXT(kConnected, kOfxImageClipPropConnected);
SAME_TEXT(kFrameRange, kOfxImageEffectPropFrameRange);
SAME_TEXT(kClipColourspace, kOfxImageClipPropColourspace);
SAME_TEXT(kPixelDepth, kOfxImageEffectPropPixelDepth);
SAME_TEXT(kComponents, kOfxImageEffectPropComponents);
SAME_TEXT(kPreMultiplication, kOfxImageEffectPropPreMultiplication);
SAME_TEXT(kPixelAspectRatio, kOfxImagePropPixelAspectRatio);
SAME_TEXT(kImageData, kOfxImagePropData);
SAME_TEXT(kImageRowBytes, kOfxImagePropRowBytes);
SAME_TEXT(kImageBounds, kOfxImagePropBounds);
SAME_TEXT(kImageUniqueIdentifier, kOfxImagePropUniqueIdentifier);
SAME_TEXT(kComponentsRgba, kOfxImageComponentRGBA);
SAME_TEXT(kComponentsRgb, kOfxImageComponentRGB);
SAME_TEXT(kComponentsAlpha, kOfxImageComponentAlpha);
SAME_TEXT(kDepthByte, kOfxBitDepthByte);
SAME_TEXT(kDepthShort, kOfxBitDepthShort);
SAME_TEXT(kDepthHalf, kOfxBitDepthHalf);
SAME_TEXT(kDepthFloat, kOfxBitDepthFloat);
SAME_TEXT(kOpaque, kOfxImageOpaque);
SAME_TEXT(kPreMultiplied, kOfxImagePreMultiplied);
SAME_TEXT(kUnPreMultiplied, kOfxImageUnPreMultiplied);
SAME_TEXT(kRenderWindow, kOfxImageEffectPropRenderWindow);
SAME_TEXT(kRenderScale, kOfxImageEffectPropRenderScale);
SAME_TEXT(kThumbnailRender, kOfxImageEffectPropThumbnailRender);
SAME_TEXT(kFrameVarying, kOfxImageEffectFrameVarying);
SAME_TEXT(kParameterSuite, kOfxParameterSuite);
SAME_TEXT(kParamInteger, kOfxParamTypeInteger);
SAME_TEXT(kParamDouble, kOfxParamTypeDouble);
SAME_TEXT(kParamBoolean, kOfxParamTypeBoolean);
SAME_TEXT(kParamChoice, kOfxParamTypeChoice);
SAME_TEXT(kParamString, kOfxParamTypeString);
SAME_TEXT(kParamGroup, kOfxParamTypeGroup);
SAME_TEXT(kParamPushButton, kOfxParamTypePushButton);
SAME_TEXT(kParamHint, kOfxParamPropHint);
SAME_TEXT(kParamScriptName, kOfxParamPropScriptName);
SAME_TEXT(kParamParent, kOfxParamPropParent);
SAME_TEXT(kParamGroupOpen, kOfxParamPropGroupOpen);
SAME_TEXT(kParamAnimates, kOfxParamPropAnimates);
SAME_TEXT(kParamPersistent, kOfxParamPropPersistant);
SAME_TEXT(kParamEvaluateOnChange, kOfxParamPropEvaluateOnChange);
SAME_TEXT(kParamCanUndo, kOfxParamPropCanUndo);
SAME_TEXT(kParamDefault, kOfxParamPropDefault);
SAME_TEXT(kParamMin, kOfxParamPropMin);
SAME_TEXT(kParamMax, kOfxParamPropMax);
SAME_TEXT(kParamDisplayMin, kOfxParamPropDisplayMin);
SAME_TEXT(kParamDisplayMax, kOfxParamPropDisplayMax);
SAME_TEXT(kParamIncrement, kOfxParamPropIncrement);
SAME_TEXT(kParamDigits, kOfxParamPropDigits);
SAME_TEXT(kParamChoiceOption, kOfxParamPropChoiceOption);
SAME_TEXT(kParamStringMode, kOfxParamPropStringMode);
SAME_TEXT(kParamFilePathExists, kOfxParamPropStringFilePathExists);
SAME_TEXT(kStringIsFilePath, kOfxParamStringIsFilePath);
SAME_TEXT(kStringIsLabel, kOfxParamStringIsLabel);
SAME_TEXT(kStringIsSingleLine, kOfxParamStringIsSingleLine);
SAME_TEXT(kPropertySuite, kOfxPropertySuite);
SAME_TEXT(kMessageSuite, kOfxMessageSuite);
SAME_TEXT(kProgressSuite, kOfxProgressSuite);
SAME_TEXT(kMessageError, kOfxMessageError);
SAME_TEXT(kMessageMessage, kOfxMessageMessage);
SAME_TEXT(kMessageLog, kOfxMessageLog);
SAME_NUMBER(kOk, kOfxStatOK);
SAME_NUMBER(kFailed, kOfxStatFailed);
SAME_NUMBER(kErrUnknown, kOfxStatErrUnknown);
SAME_NUMBER(kErrMissingHostFeature, kOfxStatErrMissingHostFeature);
SAME_NUMBER(kErrUnsupported, kOfxStatErrUnsupported);
SAME_NUMBER(kErrMemory, kOfxStatErrMemory);
SAME_NUMBER(kErrBadHandle, kOfxStatErrBadHandle);
SAME_NUMBER(kErrBadIndex, kOfxStatErrBadIndex);
SAME_NUMBER(kErrValue, kOfxStatErrValue);
SAME_NUMBER(kReplyNo, kOfxStatReplyNo);
SAME_NUMBER(kReplyDefault, kOfxStatReplyDefault);
SAME_NUMBER(kImageEffectPluginApiVersion, kOfxImageEffectPluginApiVersion);

SAME_SIZE(Host, OfxHost);
SAME_PLACE(Host, OfxHost, host);
SAME_PLACE(Host, OfxHost, fetchSuite);

SAME_SIZE(Plugin, OfxPlugin);
SAME_PLACE(Plugin, OfxPlugin, pluginApi);
SAME_PLACE(Plugin, OfxPlugin, apiVersion);
SAME_PLACE(Plugin, OfxPlugin, pluginIdentifier);
SAME_PLACE(Plugin, OfxPlugin, pluginVersionMajor);
SAME_PLACE(Plugin, OfxPlugin, pluginVersionMinor);
SAME_PLACE(Plugin, OfxPlugin, setHost);
SAME_PLACE(Plugin, OfxPlugin, mainEntry);

SAME_SIZE(RectI, OfxRectI);
SAME_PLACE(RectI, OfxRectI, x1);
SAME_PLACE(RectI, OfxRectI, y1);
SAME_PLACE(RectI, OfxRectI, x2);
SAME_PLACE(RectI, OfxRectI, y2);

SAME_SIZE(RectD, OfxRectD);
SAME_PLACE(RectD, OfxRectD, x1);
SAME_PLACE(RectD, OfxRectD, y1);
SAME_PLACE(RectD, OfxRectD, x2);
SAME_PLACE(RectD, OfxRectD, y2);

SAME_SIZE(RangeD, OfxRangeD);
SAME_PLACE(RangeD, OfxRangeD, min);
SAME_PLACE(RangeD, OfxRangeD, max);

SAME_SIZE(PropertySuiteV1, OfxPropertySuiteV1);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propSetPointer);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propSetString);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propSetDouble);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propSetInt);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propSetPointerN);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propSetStringN);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propSetDoubleN);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propSetIntN);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propGetPointer);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propGetString);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propGetDouble);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propGetInt);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propGetPointerN);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propGetStringN);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propGetDoubleN);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propGetIntN);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propReset);
SAME_PLACE(PropertySuiteV1, OfxPropertySuiteV1, propGetDimension);

SAME_SIZE(ImageEffectSuiteV1, OfxImageEffectSuiteV1);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, getPropertySet);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, getParamSet);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, clipDefine);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, clipGetHandle);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, clipGetPropertySet);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, clipGetImage);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, clipReleaseImage);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, clipGetRegionOfDefinition);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, abort);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, imageMemoryAlloc);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, imageMemoryFree);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, imageMemoryLock);
SAME_PLACE(ImageEffectSuiteV1, OfxImageEffectSuiteV1, imageMemoryUnlock);

SAME_SIZE(ParameterSuiteV1, OfxParameterSuiteV1);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramDefine);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramGetHandle);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramSetGetPropertySet);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramGetPropertySet);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramGetValue);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramGetValueAtTime);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramGetDerivative);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramGetIntegral);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramSetValue);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramSetValueAtTime);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramGetNumKeys);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramGetKeyTime);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramGetKeyIndex);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramDeleteKey);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramDeleteAllKeys);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramCopy);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramEditBegin);
SAME_PLACE(ParameterSuiteV1, OfxParameterSuiteV1, paramEditEnd);

SAME_SIZE(MessageSuiteV1, OfxMessageSuiteV1);
SAME_PLACE(MessageSuiteV1, OfxMessageSuiteV1, message);

SAME_SIZE(MessageSuiteV2, OfxMessageSuiteV2);
SAME_PLACE(MessageSuiteV2, OfxMessageSuiteV2, message);
SAME_PLACE(MessageSuiteV2, OfxMessageSuiteV2, setPersistentMessage);
SAME_PLACE(MessageSuiteV2, OfxMessageSuiteV2, clearPersistentMessage);

SAME_SIZE(ProgressSuiteV1, OfxProgressSuiteV1);
SAME_PLACE(ProgressSuiteV1, OfxProgressSuiteV1, progressStart);
SAME_PLACE(ProgressSuiteV1, OfxProgressSuiteV1, progressUpdate);
SAME_PLACE(ProgressSuiteV1, OfxProgressSuiteV1, progressEnd);

SAME_SIZE(ProgressSuiteV2, OfxProgressSuiteV2);
SAME_PLACE(ProgressSuiteV2, OfxProgressSuiteV2, progressStart);
SAME_PLACE(ProgressSuiteV2, OfxProgressSuiteV2, progressUpdate);
SAME_PLACE(ProgressSuiteV2, OfxProgressSuiteV2, progressEnd);

SAME_TEXT(kInteractSuite, kOfxInteractSuite);
SAME_TEXT(kDrawSuite, kOfxDrawSuite);
SAME_TEXT(kInteractDraw, kOfxInteractActionDraw);
SAME_TEXT(kInteractPenMotion, kOfxInteractActionPenMotion);
SAME_TEXT(kInteractPenDown, kOfxInteractActionPenDown);
SAME_TEXT(kInteractPenUp, kOfxInteractActionPenUp);
SAME_TEXT(kActionDescribe, kOfxActionDescribeInteract);
SAME_TEXT(kActionCreateInstance, kOfxActionCreateInstanceInteract);
SAME_TEXT(kActionDestroyInstance, kOfxActionDestroyInstanceInteract);
SAME_TEXT(kSupportsOverlays, kOfxImageEffectPropSupportsOverlays);
SAME_TEXT(kOverlayV1, kOfxImageEffectPluginPropOverlayInteractV1);
SAME_TEXT(kOverlayV2, kOfxImageEffectPluginPropOverlayInteractV2);
SAME_TEXT(kEffectInstance, kOfxPropEffectInstance);
SAME_TEXT(kSlaveToParam, kOfxInteractPropSlaveToParam);
SAME_TEXT(kPixelScale, kOfxInteractPropPixelScale);
SAME_TEXT(kPenPosition, kOfxInteractPropPenPosition);
SAME_TEXT(kDrawContext, kOfxInteractPropDrawContext);
SAME_TEXT(kParamDouble2D, kOfxParamTypeDouble2D);
SAME_TEXT(kParamDoubleType, kOfxParamPropDoubleType);
SAME_TEXT(kDoubleTypePosition, kOfxParamDoubleTypeXYAbsolute);
SAME_NUMBER(kDrawLineLoop, kOfxDrawPrimitiveLineLoop);

SAME_SIZE(PointD, OfxPointD);
SAME_SIZE(ColourF, OfxRGBAColourF);

SAME_SIZE(InteractSuiteV1, OfxInteractSuiteV1);
SAME_PLACE(InteractSuiteV1, OfxInteractSuiteV1, interactRedraw);
SAME_PLACE(InteractSuiteV1, OfxInteractSuiteV1, interactGetPropertySet);

SAME_SIZE(DrawSuiteV1, OfxDrawSuiteV1);
SAME_PLACE(DrawSuiteV1, OfxDrawSuiteV1, setColour);
SAME_PLACE(DrawSuiteV1, OfxDrawSuiteV1, setLineWidth);
SAME_PLACE(DrawSuiteV1, OfxDrawSuiteV1, draw);

}  // namespace
