#include "plate_frames.hpp"

#include <cstring>

#include "bridge/errors.hpp"
#include "host.hpp"

namespace gvm::plugin {
namespace {

// Host images that one render holds at a time: the window of a 4K float clip. Past it, a frame
// that the server asks for is fetched a second time.
constexpr std::size_t kHeldBytes = std::size_t{1} << 30;

}  // namespace

void SequenceKeys::begin(bool trusted) {
  const std::lock_guard lock(mutex_);
  if (open_++ == 0) {
    keys_.clear();
    trusted_ = trusted;
  }
  trusted_ = trusted_ && trusted;
}

void SequenceKeys::end() {
  const std::lock_guard lock(mutex_);
  if (open_ > 0 && --open_ == 0) keys_.clear();
}

void SequenceKeys::forget() {
  const std::lock_guard lock(mutex_);
  keys_.clear();
}

bool SequenceKeys::find(const Place& place, bridge::Hash& key) const {
  const std::lock_guard lock(mutex_);
  const auto known = keys_.find(place);
  if (known == keys_.end()) return false;
  key = known->second;
  return true;
}

void SequenceKeys::keep(const Place& place, const bridge::Hash& key) {
  const std::lock_guard lock(mutex_);
  if (open_ > 0 && trusted_) keys_[place] = key;
}

void PlateFrames::keep(std::int64_t frame, std::shared_ptr<HostImage> image) {
  held_bytes_ += image->bytes();
  held_.emplace_front(frame, std::move(image));
  while (held_bytes_ > kHeldBytes && held_.size() > 1) {
    held_bytes_ -= held_.back().second->bytes();
    held_.pop_back();
  }
}

bridge::Hash PlateFrames::key(std::int64_t frame) {
  const auto known = keys_.find(frame);
  if (known != keys_.end()) return known->second;
  bridge::Hash key;
  if (!sequence_.find({frame, scale_}, key)) {
    key = key_of(image(frame).get());
    sequence_.keep({frame, scale_}, key);
  }
  keys_[frame] = key;
  return key;
}

bridge::Part PlateFrames::part(std::int64_t frame) {
  const ofx::RectI lies = seen(image(frame).get());
  return {lies.x1 - canvas_.x1, canvas_.y2 - lies.y2, width(lies), height(lies)};
}

void PlateFrames::copy(std::int64_t frame, std::byte* to) {
  const std::shared_ptr<HostImage> shown = image(frame);
  const ofx::RectI lies = seen(shown.get());
  if (shown) return shown->copy_colours(lies, to);
  const std::int64_t values = std::int64_t{3} * width(lies) * height(lies);
  std::memset(to, 0, static_cast<std::size_t>(values * bridge::bytes_of(depth_)));
}

/// The part of the canvas where an image has pixels; where it has none, one pixel at the top left.
ofx::RectI PlateFrames::seen(const HostImage* image) const {
  const ofx::RectI lies = image ? intersect(image->bounds(), canvas_) : ofx::RectI{};
  if (width(lies) > 0 && height(lies) > 0) return lies;
  return {canvas_.x1, canvas_.y2 - 1, canvas_.x1 + 1, canvas_.y2};
}

std::shared_ptr<HostImage> PlateFrames::image(std::int64_t frame) {
  for (const auto& [number, image] : held_) {
    if (number == frame) return image;
  }
  watch_.check();
  std::shared_ptr<HostImage> image = HostImage::fetch(source_, static_cast<double>(frame));
  if (!image) {
    watch_.check();  // a host that has given up gives no images either
    if (is_empty(frame)) return nullptr;
    throw bridge::Error(
        bridge::code::kPlateMissing,
        "The host gave no picture of frame " + std::to_string(frame) + ", which the window needs.",
        "Set the source's range to the frames that it has.");
  }
  if (image->depth() != depth_) {
    throw bridge::Error(bridge::code::kPlateMismatch, "Frame " + std::to_string(frame) +
                                                          " has another bit depth than the rest.");
  }
  keep(frame, image);
  return image;
}

/// Whether the host says that there is nothing at a frame.
bool PlateFrames::is_empty(std::int64_t frame) const {
  ofx::RectD region{};
  const ofx::Status status = Host::the().effect->clipGetRegionOfDefinition(
      source_, static_cast<double>(frame), &region);
  return status == ofx::kOk && (region.x2 <= region.x1 || region.y2 <= region.y1);
}

bridge::Hash PlateFrames::key_of(const HostImage* image) const {
  bridge::Hasher hasher;
  hasher.value(canvas_.x1).value(canvas_.y1).value(canvas_.x2).value(canvas_.y2).value(scale_);
  if (!image) return hasher.text("empty").end();
  if (Host::the().quirks.real_image_identifiers && !image->identifier().empty()) {
    const ofx::RectI& lies = image->bounds();  // the same picture may lie elsewhere
    hasher.value(lies.x1).value(lies.y1).value(lies.x2).value(lies.y2);
    return hasher.text(image->identifier()).end();
  }
  return hasher.value(image->hash()).end();
}

}  // namespace gvm::plugin
