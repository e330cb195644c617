// The fake host's viewer: one overlay of an instance, a pen, and what is drawn, by OpenGL or by the
// draw suite. Like the real ones: drawing outside of a draw action is a failure of the host's test.

#include <stdexcept>

#include "objects.hpp"
#include "openfx/effect.h"
#include "openfx/interact.h"

namespace ofx {

struct InteractStruct {
  PropertySetStruct properties;
  int redraws = 0;
};
struct DrawContextStruct {};

}  // namespace ofx

namespace fake {
namespace {

Viewer viewer;
std::map<ofx::EffectStruct*, std::unique_ptr<ofx::InteractStruct>> overlays;
ofx::DrawContextStruct canvas;
bool drawing = false;

void drawn(double x, double y) {
  if (!drawing) throw std::runtime_error("drawn outside of a draw action");
  viewer.points.push_back({x, y});
}

ofx::Status swap_buffers(ofx::Interact) { return ofx::kFailed; }  // the viewer's, not the node's
ofx::Status redraw(ofx::Interact handle) {
  ++handle->redraws;
  return ofx::kOk;
}
ofx::Status properties_of(ofx::Interact handle, ofx::PropertySet* out) {
  if (!handle) return ofx::kErrBadHandle;
  *out = &handle->properties;
  return ofx::kOk;
}
const ofx::InteractSuiteV1 kInteracts{swap_buffers, redraw, properties_of};

ofx::Status get_colour(ofx::DrawContext, int, ofx::ColourF*) { return ofx::kErrValue; }
ofx::Status set_colour(ofx::DrawContext given, const ofx::ColourF*) {
  return given == &canvas ? ofx::kOk : ofx::kErrBadHandle;
}
ofx::Status set_width(ofx::DrawContext, float) { return ofx::kOk; }
ofx::Status set_stipple(ofx::DrawContext, int) { return ofx::kOk; }
ofx::Status draw_points(ofx::DrawContext given, int primitive, const ofx::PointD* points,
                        int count) {
  if (given != &canvas || primitive != ofx::kDrawLineLoop) return ofx::kFailed;
  for (int index = 0; index < count; ++index) drawn(points[index].x, points[index].y);
  viewer.drawn_by = "draw suite";
  return ofx::kOk;
}
ofx::Status draw_text(ofx::DrawContext, const char*, const ofx::PointD*, int) {
  return ofx::kFailed;
}
const ofx::DrawSuiteV1 kDraws{get_colour, set_colour, set_width,
                              set_stipple, draw_points, draw_text};

using Entry = ofx::Status (*)(const char*, const void*, ofx::PropertySet, ofx::PropertySet);

Entry entry_of(ofx::EffectStruct& descriptor) {
  const auto& values = descriptor.properties.values;
  const char* const name = world().behaviour.draw_suite ? ofx::kOverlayV2 : ofx::kOverlayV1;
  const auto found = values.find(name);
  return found == values.end() ? nullptr
                               : reinterpret_cast<Entry>(std::get<void*>(found->second.at(0)));
}

}  // namespace

const ofx::InteractSuiteV1* interact_suite() { return &kInteracts; }
const ofx::DrawSuiteV1* draw_suite() { return &kDraws; }

Viewer overlay_action(ofx::EffectStruct& descriptor, ofx::EffectStruct& instance,
                      const std::string& action, const std::vector<double>& pen) {
  const Entry entry = entry_of(descriptor);
  viewer = Viewer{};
  if (!entry) return viewer;
  viewer.offered = true;
  auto& overlay = overlays[&instance];
  if (!overlay) {
    overlay = std::make_unique<ofx::InteractStruct>();
    overlay->properties.set(ofx::kEffectInstance, 0, static_cast<void*>(&instance));
    entry(ofx::kActionDescribe, overlay.get(), nullptr, nullptr);
    entry(ofx::kActionCreateInstance, overlay.get(), nullptr, nullptr);
  }
  ofx::PropertySetStruct in;
  in.set(ofx::kEffectInstance, 0, static_cast<void*>(&instance));
  for (int index = 0; index < 2; ++index) {
    in.set(ofx::kPixelScale, index, world().behaviour.pixel_scale);
    if (!pen.empty()) in.set(ofx::kPenPosition, index, pen.at(static_cast<std::size_t>(index)));
  }
  if (world().behaviour.draw_suite) {
    in.set(ofx::kDrawContext, 0, static_cast<void*>(&canvas));
  }
  overlay->redraws = 0;
  drawing = action == ofx::kInteractDraw;
  viewer.status = entry(action.c_str(), overlay.get(), &in, nullptr);
  drawing = false;
  viewer.redraws = overlay->redraws;
  const auto slaves = overlay->properties.values.find(ofx::kSlaveToParam);
  if (slaves != overlay->properties.values.end()) {
    for (const auto& value : slaves->second) {
      viewer.slaves.push_back(std::get<std::string>(value));
    }
  }
  if (action == ofx::kActionDestroyInstance) overlays.erase(&instance);
  return viewer;
}

}  // namespace fake

// The OpenGL of a viewer, as a node finds it in the process.
#define GL_EXPORT extern "C" __attribute__((visibility("default")))
GL_EXPORT void glColor4f(float, float, float, float) {}
GL_EXPORT void glBegin(unsigned) {}
GL_EXPORT void glVertex2d(double x, double y) {
  fake::drawn(x, y);
  fake::viewer.drawn_by = "OpenGL";
}
GL_EXPORT void glEnd() {}
