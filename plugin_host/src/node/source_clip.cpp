#include "node/source_clip.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <vector>

#include "node/definitions.hpp"

namespace gvm::node {
namespace {

// A longer range is no clip: so hosts express "infinite".
constexpr double kLongestClip = 10'000'000;
constexpr double kLargestSide = 1'000'000;

// Regions that are asked for at most: some hosts take a millisecond for each.
constexpr std::int64_t kRegionsAsked = 10'000;

/// Whether there is something, and not without end; false for what is no number.
bool is_finite(const ofx::RectD& region) {
  const auto [low, high] = std::minmax({region.x1, region.y1, region.x2, region.y2});
  return low > -kLargestSide && high < kLargestSide && region.x1 < region.x2 &&
         region.y1 < region.y2;
}

bool holds(const ofx::RectD& outer, const ofx::RectD& inner) {
  return outer.x1 <= inner.x1 && outer.y1 <= inner.y1 && inner.x2 <= outer.x2 &&
         inner.y2 <= outer.y2;
}

ofx::RectD united(const ofx::RectD& left, const ofx::RectD& right) {
  return {std::min(left.x1, right.x1), std::min(left.y1, right.y1), std::max(left.x2, right.x2),
          std::max(left.y2, right.y2)};
}

int pixel(double position) { return static_cast<int>(std::lround(position)); }

// Other plug-ins measured one or two, and allow for three.
constexpr std::int64_t kDiffer = 3;

std::mutex shared_mutex;
std::map<std::string, std::vector<bridge::Window>> shared_ranges;  // by media file

bool is_near(const bridge::Window& left, const bridge::Window& right) {
  return std::abs(left.first - right.first) <= kDiffer &&
         std::abs(left.last - right.last) <= kDiffer;
}

}  // namespace

bridge::Window shared_range(const std::string& media, const bridge::Window& own) {
  const std::lock_guard lock(shared_mutex);
  std::vector<bridge::Window>& ranges = shared_ranges[media];
  for (bridge::Window& range : ranges) {
    if (!is_near(range, own)) continue;
    // All of both: the frame that one of them does not know is the other's last.
    range = {std::min(range.first, own.first), std::max(range.last, own.last)};
    return range;
  }
  ranges.push_back(own);
  return own;
}

void forget_shared_ranges() {
  const std::lock_guard lock(shared_mutex);
  shared_ranges.clear();
}

SourceClip::SourceClip(ofx::Effect instance) : instance_(instance) {
  ofx::PropertySet set = nullptr;
  Host::get().effect->clipGetHandle(instance, ofx::kSourceClip, &clip_, &set);
  properties_ = Properties(set);
}

bridge::Window SourceClip::range(double time) const {
  const bridge::Window own = own_range(time);
  if (!Host::get().quirks.unsteady_ranges || uses_own_range_) return own;
  ofx::PropertySet set = nullptr;
  Host::get().effect->getPropertySet(instance_, &set);
  // Without its media nothing tells one clip from another: labels are those of the node.
  const std::string media = Properties(set).text(ofx::kResolveSourcePath);
  return media.empty() ? own : shared_range(media, own);
}

bool SourceClip::use_own_range(double time) const {
  const bool differs = !(range(time) == own_range(time));
  uses_own_range_ = uses_own_range_ || differs;
  return differs;
}

bridge::Window SourceClip::own_range(double time) const {
  const double first = properties_.number(ofx::kFrameRange, 0, time);
  const double last = properties_.number(ofx::kFrameRange, 1, time);
  const bool usable = first <= last && last - first < kLongestClip;  // false for what is no number
  if (!usable) return {frame_at(time), frame_at(time)};
  return {frame_at(first), frame_at(last)};
}

bool SourceClip::region(double time, ofx::RectD& to) const {
  return Host::get().effect->clipGetRegionOfDefinition(clip_, time, &to) == ofx::kOk;
}

ofx::RectI SourceClip::canvas(const bridge::Window& range, double time, const Scale& scale,
                              const ofx::RectI& otherwise) const {
  const std::optional<ofx::RectD> region = whole(range, time);
  if (!region) return otherwise;
  const double across = scale.x / pixel_aspect();
  const ofx::RectI canvas{pixel(region->x1 * across), pixel(region->y1 * scale.y),
                          pixel(region->x2 * across), pixel(region->y2 * scale.y)};
  return width(canvas) > 0 && height(canvas) > 0 ? canvas : otherwise;
}

std::optional<ofx::RectD> SourceClip::whole(const bridge::Window& range, double time) const {
  const std::lock_guard lock(mutex_);
  const bool same = known_ && known_range_.first == range.first && known_range_.last == range.last;
  ofx::RectD shown{};
  // Of a clip that is looked at in steps a frame between them may show more: it is cut.
  const bool every = range.length() <= kRegionsAsked;
  const bool more = same && every && range.holds(frame_at(time)) && region(time, shown) &&
                    is_finite(shown) && !(whole_ && holds(*whole_, shown));
  if (!same || more) {
    whole_ = find_region(range);
    known_range_ = range;
    known_ = true;
  }
  return whole_;
}

std::optional<ofx::RectD> SourceClip::find_region(const bridge::Window& range) const {
  const std::int64_t step = (range.length() + kRegionsAsked - 1) / kRegionsAsked;
  std::optional<ofx::RectD> all;
  bool differ = false;
  for (std::int64_t frame = range.first; frame <= range.last; frame += step) {
    ofx::RectD shown{};
    const bool there = region(static_cast<double>(frame), shown) && is_finite(shown);
    if (there && all) differ = differ || !holds(shown, *all) || !holds(*all, shown);
    if (there) all = all ? united(*all, shown) : shown;
    differ = differ || !there;  // an empty frame among others
  }
  const std::optional<ofx::RectD> picture = project();
  if (!picture) return all;
  if (!all) return picture;
  return differ ? united(*all, *picture) : all;
}

std::optional<ofx::RectD> SourceClip::project() const {
  ofx::PropertySet set = nullptr;
  Host::get().effect->getPropertySet(instance_, &set);
  const Properties properties(set);
  const double left = properties.number(ofx::kProjectOffset, 0, 0.0);
  const double low = properties.number(ofx::kProjectOffset, 1, 0.0);
  const ofx::RectD picture{left, low, left + properties.number(ofx::kProjectSize, 0, 0.0),
                           low + properties.number(ofx::kProjectSize, 1, 0.0)};
  return is_finite(picture) ? std::optional(picture) : std::nullopt;
}

void SourceClip::forget_regions() {
  const std::lock_guard lock(mutex_);
  known_ = false;
}

bridge::HostClip SourceClip::describe(const bridge::Window& range, const ofx::RectI& canvas,
                                      bridge::PixelType depth) const {
  ofx::PropertySet set = nullptr;
  Host::get().effect->getPropertySet(instance_, &set);
  const std::string label = Properties(set).text(ofx::kPropLabel);
  bridge::HostClip clip;
  clip.name = Host::get().name + " " + (label.empty() ? kLabel : label);
  clip.first = range.first;
  clip.last = range.last;
  clip.width = std::max(width(canvas), 1);
  clip.height = std::max(height(canvas), 1);
  clip.pixel_aspect = pixel_aspect();
  clip.pixel_type = depth;
  return clip;
}

double SourceClip::aspect(const ofx::RectI& canvas, const Scale& scale) const {
  const double wide = std::max(width(canvas), 1) * pixel_aspect() / scale.x;
  return wide * scale.y / std::max(height(canvas), 1);
}

double SourceClip::pixel_aspect() const {
  const double aspect = properties_.number(ofx::kPixelAspectRatio, 0, 1.0);
  return aspect > 0.0 ? aspect : 1.0;
}

}  // namespace gvm::node
