#include "node/overlay.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "bridge/platform.hpp"
#include "node/definitions.hpp"
#include "node/host.hpp"
#include "node/parameters.hpp"
#include "openfx/interact.h"

namespace gvm::node {
namespace {

constexpr double kReach = 8.0;  // pixels of the screen
constexpr ofx::ColourF kColour{1.0f, 0.7f, 0.1f, 1.0f};

/// What a pen is doing with one viewer's outline.
struct Drag {
  Grip grip;
  ofx::PointD from{};
  ofx::RectD begun{}, now{};
};

/// The OpenGL of the host, which has a context current; hosts without the draw suite want it.
struct OpenGl {
  void (*colour)(float, float, float, float);
  void (*begin)(unsigned);
  void (*vertex)(double, double);
  void (*end)();

  static constexpr unsigned kLineLoop = 2;  // gl.h: GL_LINE_LOOP

  /// Looked up in the process, so that the plug-in needs no library of its own; null without.
  static const OpenGl* get() {
    static const OpenGl found = [] {
      const auto find = bridge::opengl_function;
      return OpenGl{reinterpret_cast<decltype(colour)>(find("glColor4f")),
                    reinterpret_cast<decltype(begin)>(find("glBegin")),
                    reinterpret_cast<decltype(vertex)>(find("glVertex2d")),
                    reinterpret_cast<decltype(end)>(find("glEnd"))};
    }();
    return found.colour && found.begin && found.vertex && found.end ? &found : nullptr;
  }
};

using Outline = std::array<ofx::PointD, 4>;

Outline outline_of(const ofx::RectD& box) {
  return {{{box.x1, box.y1}, {box.x2, box.y1}, {box.x2, box.y2}, {box.x1, box.y2}}};
}

void draw_outline(const Outline& corners, ofx::DrawContext context) {
  if (context && Host::get().draw) {
    const ofx::DrawSuiteV1& suite = *Host::get().draw;
    suite.setColour(context, &kColour);
    suite.setLineWidth(context, 1.0f);
    suite.draw(context, ofx::kDrawLineLoop, corners.data(), static_cast<int>(corners.size()));
  } else if (const OpenGl* gl = context ? nullptr : OpenGl::get()) {
    gl->colour(kColour.r, kColour.g, kColour.b, kColour.a);
    gl->begin(OpenGl::kLineLoop);
    for (const ofx::PointD& corner : corners) gl->vertex(corner.x, corner.y);
    gl->end();
  }
}

/// One viewer's overlay of one node, as an action finds it.
class Overlay {
 public:
  Overlay(ofx::Interact handle, ofx::PropertySet in) : handle_(handle), in_(in) {
    ofx::PropertySet set = nullptr;
    Host::get().interact->interactGetPropertySet(handle, &set);
    own_ = Properties(set);
    effect_ = static_cast<ofx::Effect>(in_.pointer(ofx::kEffectInstance));
    if (!effect_) effect_ = static_cast<ofx::Effect>(own_.pointer(ofx::kEffectInstance));
  }

  ofx::Status create() const {
    int index = 0;
    for (const char* name :
         {param::kUseRegion, param::kRegionLowerLeft, param::kRegionUpperRight}) {
      own_.set(ofx::kSlaveToParam, name, index++);
    }
    own_.set_pointer(ofx::kPropInstanceData, new Drag);
    return ofx::kOk;
  }

  ofx::Status destroy() const {
    delete drag();
    own_.set_pointer(ofx::kPropInstanceData, nullptr);
    return ofx::kOk;
  }

  ofx::Status draw() const {
    if (!is_used()) return ofx::kReplyDefault;
    draw_outline(outline_of(drag()->grip ? drag()->now : read_region(NodeParams(effect_))),
                 static_cast<ofx::DrawContext>(in_.pointer(ofx::kDrawContext)));
    return ofx::kOk;
  }

  ofx::Status pen_down() const {
    if (!is_used()) return ofx::kReplyDefault;
    Drag& drag = *this->drag();
    drag.from = pen();
    drag.begun = drag.now = read_region(NodeParams(effect_));
    const ofx::PointD reach{kReach * in_.number(ofx::kPixelScale, 0, 1.0),
                            kReach * in_.number(ofx::kPixelScale, 1, 1.0)};
    drag.grip = grip_at(drag.begun, drag.from, reach);
    return drag.grip ? ofx::kOk : ofx::kReplyDefault;
  }

  ofx::Status pen_motion() const {
    if (!drag() || !drag()->grip) return ofx::kReplyDefault;
    move();
    Host::get().interact->interactRedraw(handle_);
    return ofx::kOk;
  }

  ofx::Status pen_up() const {
    if (!drag() || !drag()->grip) return ofx::kReplyDefault;
    move();
    drag()->grip = Grip{};
    ofx::ParamSet set = nullptr;
    Host::get().effect->getParamSet(effect_, &set);
    const NodeParams params(effect_);
    const ofx::RectD& now = drag()->now;
    Host::get().param->paramEditBegin(set, "Region");  // one step of undo
    params.set_point(param::kRegionLowerLeft, {now.x1, now.y1});
    params.set_point(param::kRegionUpperRight, {now.x2, now.y2});
    Host::get().param->paramEditEnd(set);
    Host::get().interact->interactRedraw(handle_);
    return ofx::kOk;
  }

 private:
  Drag* drag() const { return static_cast<Drag*>(own_.pointer(ofx::kPropInstanceData)); }

  bool is_used() const {
    return effect_ && drag() && NodeParams(effect_).integer(param::kUseRegion) != 0;
  }

  ofx::PointD pen() const {
    return {in_.number(ofx::kPenPosition, 0, 0.0), in_.number(ofx::kPenPosition, 1, 0.0)};
  }

  /// Whole units: a region is of whole pixels.
  void move() const {
    Drag& drag = *this->drag();
    const ofx::PointD at = pen();
    drag.now = dragged(drag.begun, drag.grip,
                       {std::round(at.x - drag.from.x), std::round(at.y - drag.from.y)});
  }

  ofx::Interact handle_;
  Properties in_, own_;
  ofx::Effect effect_ = nullptr;
};

ofx::Status act(std::string_view action, const void* handle, ofx::PropertySet in) {
  if (action == ofx::kActionDescribe) return ofx::kOk;
  const Overlay overlay(static_cast<ofx::Interact>(const_cast<void*>(handle)), in);
  if (action == ofx::kActionCreateInstance) return overlay.create();
  if (action == ofx::kActionDestroyInstance) return overlay.destroy();
  if (action == ofx::kInteractDraw) return overlay.draw();
  if (action == ofx::kInteractPenDown) return overlay.pen_down();
  if (action == ofx::kInteractPenMotion) return overlay.pen_motion();
  if (action == ofx::kInteractPenUp) return overlay.pen_up();
  return ofx::kReplyDefault;
}

/// No exception crosses the border to C.
ofx::Status overlay_entry(const char* action, const void* handle, ofx::PropertySet in,
                          ofx::PropertySet) {
  try {
    return act(action, handle, in);
  } catch (...) {
    return ofx::kFailed;
  }
}

/// Which of two sides a pen holds.
void take_hold(double low, double high, double pen, double reach, bool& low_held,
               bool& high_held) {
  low_held = std::abs(pen - low) <= reach;
  high_held = !low_held && std::abs(pen - high) <= reach;
}

}  // namespace

Grip grip_at(const ofx::RectD& rectangle, const ofx::PointD& pen, const ofx::PointD& reach) {
  const bool beside = pen.x < rectangle.x1 - reach.x || pen.x > rectangle.x2 + reach.x ||
                      pen.y < rectangle.y1 - reach.y || pen.y > rectangle.y2 + reach.y;
  if (beside) return {};
  Grip grip;
  take_hold(rectangle.x1, rectangle.x2, pen.x, reach.x, grip.left, grip.right);
  take_hold(rectangle.y1, rectangle.y2, pen.y, reach.y, grip.bottom, grip.top);
  const bool middle = std::abs(2 * pen.x - rectangle.x1 - rectangle.x2) <= 2 * reach.x &&
                      std::abs(2 * pen.y - rectangle.y1 - rectangle.y2) <= 2 * reach.y;
  return !grip && middle ? Grip{true, true, true, true} : grip;
}

ofx::RectD dragged(const ofx::RectD& rectangle, const Grip& grip, const ofx::PointD& by) {
  const double x1 = rectangle.x1 + (grip.left ? by.x : 0.0);
  const double x2 = rectangle.x2 + (grip.right ? by.x : 0.0);
  const double y1 = rectangle.y1 + (grip.bottom ? by.y : 0.0);
  const double y2 = rectangle.y2 + (grip.top ? by.y : 0.0);
  return {std::min(x1, x2), std::min(y1, y2), std::max(x1, x2), std::max(y1, y2)};
}

void offer_overlay(ofx::PropertySet effect) {
  if (!Host::get().overlays) return;
  auto* const entry = reinterpret_cast<void*>(overlay_entry);
  Properties(effect).set_pointer(ofx::kOverlayV1, entry);
  if (Host::get().draw) Properties(effect).set_pointer(ofx::kOverlayV2, entry);
}

}  // namespace gvm::node
