// OpenFX 1.5.1: the suites of what a node draws in a host's viewer, and their actions.
#pragma once

#include "openfx/core.h"

namespace ofx {

inline constexpr char kInteractSuite[] = "OfxInteractSuite";
inline constexpr char kDrawSuite[] = "OfxDrawSuite";

using Interact = struct InteractStruct*;
using DrawContext = struct DrawContextStruct*;

struct InteractSuiteV1 {
  Status (*interactSwapBuffers)(Interact);
  Status (*interactRedraw)(Interact);
  Status (*interactGetPropertySet)(Interact, PropertySet* properties);
};

struct ColourF {
  float r, g, b, a;
};

struct DrawSuiteV1 {
  Status (*getColour)(DrawContext, int standard, ColourF* colour);
  Status (*setColour)(DrawContext, const ColourF* colour);
  Status (*setLineWidth)(DrawContext, float width);
  Status (*setLineStipple)(DrawContext, int pattern);
  Status (*draw)(DrawContext, int primitive, const PointD* points, int count);
  Status (*drawText)(DrawContext, const char* text, const PointD* at, int alignment);
};
inline constexpr int kDrawLineLoop = 2;

// Actions of an interact; it is described, created and destroyed as an effect is.
inline constexpr char kInteractDraw[] = "OfxInteractActionDraw";
inline constexpr char kInteractPenMotion[] = "OfxInteractActionPenMotion";
inline constexpr char kInteractPenDown[] = "OfxInteractActionPenDown";
inline constexpr char kInteractPenUp[] = "OfxInteractActionPenUp";

// Of the host and of the effect: whether nodes may draw; who draws, with OpenGL or the draw suite.
inline constexpr char kSupportsOverlays[] = "OfxImageEffectPropSupportsOverlays";
inline constexpr char kOverlayV1[] = "OfxImageEffectPluginPropOverlayInteractV1";
inline constexpr char kOverlayV2[] = "OfxImageEffectPluginPropOverlayInteractV2";

inline constexpr char kEffectInstance[] = "OfxPropEffectInstance";
inline constexpr char kSlaveToParam[] = "OfxInteractPropSlaveToParam";
inline constexpr char kPixelScale[] = "OfxInteractPropPixelScale";  // canonical, for one of screen
inline constexpr char kPenPosition[] = "OfxInteractPropPenPosition";  // canonical
inline constexpr char kDrawContext[] = "OfxInteractPropDrawContext";

}  // namespace ofx
