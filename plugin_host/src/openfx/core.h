// OpenFX 1.5.1: handles, status codes, host, plug-in, actions. Our own declarations of the
// standard's binary interface; `sdk_check.cpp` compares them with an SDK's headers.
#pragma once

#include <cstddef>

namespace ofx {

using Status = int;
using Time = double;

using PropertySet = struct PropertySetStruct*;
using Effect = struct EffectStruct*;
using Clip = struct ClipStruct*;
using Param = struct ParamStruct*;
using ParamSet = struct ParamSetStruct*;
using ImageMemory = struct ImageMemoryStruct*;

struct RangeD {
  double min, max;
};
struct PointD {
  double x, y;
};
struct RectI {  // x2 and y2 lie outside
  int x1, y1, x2, y2;
};
struct RectD {
  double x1, y1, x2, y2;
};

inline constexpr Status kOk = 0;
inline constexpr Status kFailed = 1;
inline constexpr Status kErrUnknown = 3;
inline constexpr Status kErrMissingHostFeature = 4;
inline constexpr Status kErrUnsupported = 5;
inline constexpr Status kErrMemory = 8;
inline constexpr Status kErrBadHandle = 9;
inline constexpr Status kErrBadIndex = 10;
inline constexpr Status kErrValue = 11;
inline constexpr Status kReplyNo = 13;
inline constexpr Status kReplyDefault = 14;

/// What a host hands to a plug-in; fetchSuite answers null for a suite that it lacks.
struct Host {
  PropertySet host;
  const void* (*fetchSuite)(PropertySet host, const char* suite, int version);
};

/// What a plug-in hands to a host; all of it lives until the binary is unloaded.
struct Plugin {
  const char* pluginApi;
  int apiVersion;
  const char* pluginIdentifier;
  unsigned int pluginVersionMajor;
  unsigned int pluginVersionMinor;
  void (*setHost)(Host* host);
  Status (*mainEntry)(const char* action, const void* handle, PropertySet in, PropertySet out);
};

inline constexpr char kImageEffectPluginApi[] = "OfxImageEffectPluginAPI";
inline constexpr int kImageEffectPluginApiVersion = 1;

// Actions.
inline constexpr char kActionLoad[] = "OfxActionLoad";
inline constexpr char kActionUnload[] = "OfxActionUnload";
inline constexpr char kActionDescribe[] = "OfxActionDescribe";
inline constexpr char kActionCreateInstance[] = "OfxActionCreateInstance";
inline constexpr char kActionDestroyInstance[] = "OfxActionDestroyInstance";
inline constexpr char kActionInstanceChanged[] = "OfxActionInstanceChanged";
inline constexpr char kActionPurgeCaches[] = "OfxActionPurgeCaches";
inline constexpr char kActionDescribeInContext[] = "OfxImageEffectActionDescribeInContext";
inline constexpr char kActionGetRegionOfDefinition[] = "OfxImageEffectActionGetRegionOfDefinition";
inline constexpr char kActionGetRegionsOfInterest[] = "OfxImageEffectActionGetRegionsOfInterest";
inline constexpr char kActionGetFramesNeeded[] = "OfxImageEffectActionGetFramesNeeded";
inline constexpr char kActionGetClipPreferences[] = "OfxImageEffectActionGetClipPreferences";
inline constexpr char kActionIsIdentity[] = "OfxImageEffectActionIsIdentity";
inline constexpr char kActionBeginSequenceRender[] = "OfxImageEffectActionBeginSequenceRender";
inline constexpr char kActionRender[] = "OfxImageEffectActionRender";
inline constexpr char kActionEndSequenceRender[] = "OfxImageEffectActionEndSequenceRender";

// Properties of everything.
inline constexpr char kPropType[] = "OfxPropType";
inline constexpr char kPropName[] = "OfxPropName";
inline constexpr char kPropLabel[] = "OfxPropLabel";
inline constexpr char kPropTime[] = "OfxPropTime";
inline constexpr char kPropIsInteractive[] = "OfxPropIsInteractive";
inline constexpr char kPropChangeReason[] = "OfxPropChangeReason";
inline constexpr char kPropInstanceData[] = "OfxPropInstanceData";
inline constexpr char kPropPluginDescription[] = "OfxPropPluginDescription";

inline constexpr char kTypeParameter[] = "OfxTypeParameter";
inline constexpr char kTypeClip[] = "OfxTypeClip";
inline constexpr char kChangeUserEdited[] = "OfxChangeUserEdited";

}  // namespace ofx
