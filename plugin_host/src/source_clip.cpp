#include "source_clip.hpp"

#include <algorithm>
#include <cmath>

#include "gvm_definitions.hpp"

namespace gvm::plugin {
namespace {

// A longer range is no clip: hosts say "infinite" so.
constexpr double kLongestClip = 10'000'000;
constexpr double kLargestSide = 1'000'000;

int pixel(double position) { return static_cast<int>(std::lround(position)); }

}  // namespace

SourceClip::SourceClip(ofx::Effect instance) : instance_(instance) {
  ofx::PropertySet set = nullptr;
  Host::the().effect->clipGetHandle(instance, ofx::kSourceClip, &clip_, &set);
  properties_ = Properties(set);
}

bridge::Window SourceClip::range(double time) const {
  const double first = properties_.number(ofx::kFrameRange, 0, time);
  const double last = properties_.number(ofx::kFrameRange, 1, time);
  const bool usable = first <= last && last - first < kLongestClip;  // false for what is no number
  if (!usable) return {frame_at(time), frame_at(time)};
  return {frame_at(first), frame_at(last)};
}

bool SourceClip::region(double time, ofx::RectD& to) const {
  return Host::the().effect->clipGetRegionOfDefinition(clip_, time, &to) == ofx::kOk;
}

ofx::RectI SourceClip::canvas(const bridge::Window& range, const Scale& scale,
                              const ofx::RectI& otherwise) const {
  ofx::RectD whole{};
  if (!region(static_cast<double>(range.first), whole)) return otherwise;
  const auto [low, high] = std::minmax({whole.x1, whole.y1, whole.x2, whole.y2});
  if (!(low > -kLargestSide && high < kLargestSide)) return otherwise;
  const double across = scale.x / pixel_aspect();
  const ofx::RectI canvas{pixel(whole.x1 * across), pixel(whole.y1 * scale.y),
                          pixel(whole.x2 * across), pixel(whole.y2 * scale.y)};
  return width(canvas) > 0 && height(canvas) > 0 ? canvas : otherwise;
}

bridge::HostClip SourceClip::describe(const bridge::Window& range, const ofx::RectI& canvas,
                                      bridge::PixelType depth) const {
  ofx::PropertySet set = nullptr;
  Host::the().effect->getPropertySet(instance_, &set);
  const std::string label = Properties(set).text(ofx::kPropLabel);
  bridge::HostClip clip;
  clip.name = Host::the().name + " " + (label.empty() ? kLabel : label);
  clip.first = range.first;
  clip.last = range.last;
  clip.width = std::max(width(canvas), 1);
  clip.height = std::max(height(canvas), 1);
  clip.pixel_aspect = pixel_aspect();
  clip.pixel_type = depth;
  return clip;
}

double SourceClip::pixel_aspect() const {
  const double aspect = properties_.number(ofx::kPixelAspectRatio, 0, 1.0);
  return aspect > 0.0 ? aspect : 1.0;
}

}  // namespace gvm::plugin
