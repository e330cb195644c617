#include "plate_frames.hpp"

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
  if (!typed_) depth_ = image->depth();
  typed_ = true;
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
    key = key_of(*image(frame));
    sequence_.keep({frame, scale_}, key);
  }
  keys_[frame] = key;
  return key;
}

void PlateFrames::copy(std::int64_t frame, std::byte* to) {
  image(frame)->copy_colours(canvas_, to);
}

std::shared_ptr<HostImage> PlateFrames::image(std::int64_t frame) {
  for (const auto& [number, image] : held_) {
    if (number == frame) return image;
  }
  watch_.check();
  std::shared_ptr<HostImage> image = HostImage::fetch(source_, static_cast<double>(frame));
  if (!image) {
    watch_.check();  // a host that has given up gives no images either
    throw bridge::Error(
        bridge::code::kPlateMissing,
        "The host gave no picture of frame " + std::to_string(frame) + ", which the window needs.",
        "Set the source's range to the frames that it has.");
  }
  if (typed_ && image->depth() != depth_) {
    throw bridge::Error(bridge::code::kPlateMismatch, "Frame " + std::to_string(frame) +
                                                          " has another bit depth than the rest.");
  }
  keep(frame, image);
  return image;
}

bridge::Hash PlateFrames::key_of(const HostImage& image) const {
  bridge::Hasher hasher;
  hasher.value(canvas_.x1).value(canvas_.y1).value(canvas_.x2).value(canvas_.y2).value(scale_);
  if (Host::the().quirks.real_image_identifiers && !image.identifier().empty()) {
    return hasher.text(image.identifier()).end();
  }
  return hasher.value(image.hash()).end();
}

}  // namespace gvm::plugin
