#include "node/host_image.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "bridge/parallel.hpp"
#include "bridge/thumbnail.hpp"
#include "node/half.hpp"
#include "node/host.hpp"

namespace gvm::node {
namespace {

struct Depth {
  const char* ofx;
  bridge::PixelType type;
};
constexpr Depth kDepths[] = {{ofx::kDepthByte, bridge::PixelType::kUint8},
                             {ofx::kDepthShort, bridge::PixelType::kUint16},
                             {ofx::kDepthHalf, bridge::PixelType::kHalf},
                             {ofx::kDepthFloat, bridge::PixelType::kFloat}};

// Of one size whatever the threads: the same pixels have the same hash on every machine.
constexpr int kBandRows = 128;

constexpr std::chrono::seconds kLongestWait{2};  // a copy takes milliseconds

std::recursive_timed_mutex shared_buffers;

int channels_of(const std::string& components) {
  if (components == ofx::kComponentsRgba) return 4;
  if (components == ofx::kComponentsRgb) return 3;
  return components == ofx::kComponentsAlpha ? 1 : 0;
}

float as_float(const std::byte* from, bridge::PixelType depth) {
  if (depth == bridge::PixelType::kUint8) return static_cast<float>(std::to_integer<int>(*from));
  std::uint16_t bits = 0;
  float value = 0.0f;
  if (depth == bridge::PixelType::kFloat) {
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  std::memcpy(&bits, from, sizeof bits);
  return depth == bridge::PixelType::kHalf ? float_of_half(bits) : static_cast<float>(bits);
}

}  // namespace

std::unique_ptr<HostImage> HostImage::fetch(ofx::Clip clip, double time) {
  const SharedBufferLock lock;
  std::unique_ptr<HostImage> image = fetch_output(clip, time);
  if (image && Host::get().quirks.shared_buffers) image->copy_out();
  return image;
}

std::unique_ptr<HostImage> HostImage::fetch_output(ofx::Clip clip, double time) {
  ofx::PropertySet handle = nullptr;
  const ofx::Status status = Host::get().effect->clipGetImage(clip, time, nullptr, &handle);
  if (status != ofx::kOk || !handle) return nullptr;
  std::unique_ptr<HostImage> image(new HostImage(handle));
  return image->read() ? std::move(image) : nullptr;
}

HostImage::HostImage(ofx::PropertySet image) : image_(image) {}
HostImage::~HostImage() {
  if (image_) Host::get().effect->clipReleaseImage(image_);
}

bool HostImage::read() {
  const Properties properties(image_);
  data_ = static_cast<std::byte*>(properties.pointer(ofx::kImageData));
  if (!data_ || !properties.rectangle(ofx::kImageBounds, bounds_)) return false;
  const std::string depth = properties.text(ofx::kPixelDepth);
  const auto known = std::find_if(std::begin(kDepths), std::end(kDepths),
                                  [&](const Depth& candidate) { return depth == candidate.ofx; });
  channels_ = channels_of(properties.text(ofx::kComponents));
  if (known == std::end(kDepths) || channels_ == 0) return false;
  depth_ = known->type;
  pixel_bytes_ = static_cast<std::size_t>(channels_ * bridge::bytes_of(depth_));
  const int packed = width(bounds_) * static_cast<int>(pixel_bytes_);
  row_bytes_ = properties.integer(ofx::kImageRowBytes, 0, packed);
  identifier_ = properties.text(ofx::kImageUniqueIdentifier);
  return width(bounds_) > 0 && height(bounds_) > 0;
}

/// Takes the pixels, row by row, and gives the host's image back.
void HostImage::copy_out() {
  const std::size_t row = static_cast<std::size_t>(width(bounds_)) * pixel_bytes_;
  std::vector<std::byte> own(bytes());
  for (int y = bounds_.y1; y < bounds_.y2; ++y) {
    std::memcpy(own.data() + static_cast<std::size_t>(y - bounds_.y1) * row, at(bounds_.x1, y),
                row);
  }
  own_ = std::move(own);
  data_ = own_.data();
  row_bytes_ = static_cast<std::ptrdiff_t>(row);
  Host::get().effect->clipReleaseImage(image_);
  image_ = nullptr;
}

std::size_t HostImage::bytes() const {
  return static_cast<std::size_t>(width(bounds_)) * static_cast<std::size_t>(height(bounds_)) *
         pixel_bytes_;
}

std::byte* HostImage::at(int x, int y) const {
  return data_ + (y - bounds_.y1) * row_bytes_ +
         (x - bounds_.x1) * static_cast<std::ptrdiff_t>(pixel_bytes_);
}

bridge::Hash HostImage::hash() const {
  bridge::Hasher hasher;
  hasher.value(bounds_.x1).value(bounds_.y1).value(bounds_.x2).value(bounds_.y2);
  hasher.value(depth_).value(channels_);
  const std::size_t row = static_cast<std::size_t>(width(bounds_)) * pixel_bytes_;
  const int rows = std::max(height(bounds_), 0);
  std::vector<bridge::Hash> bands(static_cast<std::size_t>((rows + kBandRows - 1) / kBandRows));
  bridge::for_each_index(bands.size(), [&](std::size_t band) {
    const int from = bounds_.y1 + static_cast<int>(band) * kBandRows;
    bridge::Hasher of_band;
    for (int y = from; y < std::min(from + kBandRows, bounds_.y2); ++y) {
      of_band.bytes(at(bounds_.x1, y), row);
    }
    bands[band] = of_band.end();
  });
  for (const bridge::Hash& band : bands) hasher.value(band);
  return hasher.end();
}

std::vector<std::int64_t> HostImage::ranks(const ofx::RectI& canvas) const {
  const ofx::RectI shared = intersect(bounds_, canvas);
  const bool any = width(shared) > 0 && height(shared) > 0;
  const ofx::RectI seen = any ? shared : ofx::RectI{canvas.x1, canvas.y2, canvas.x1, canvas.y2};
  const bridge::ThumbnailPart part{seen.x1 - canvas.x1, canvas.y2 - seen.y2, seen.x2 - canvas.x1,
                                   canvas.y2 - seen.y1};
  const std::size_t value = pixel_bytes_ / static_cast<std::size_t>(channels_);
  const std::size_t green = channels_ >= 3 ? value : 0;
  const auto read = [&](std::int64_t row, float* to) {
    const std::byte* from = at(seen.x1, canvas.y2 - 1 - static_cast<int>(row)) + green;
    for (int x = seen.x1; x < seen.x2; ++x, from += pixel_bytes_) *to++ = as_float(from, depth_);
  };
  return bridge::ranks_of(width(canvas), height(canvas), part, read);
}

void HostImage::copy_colours(const ofx::RectI& rectangle, std::byte* to) const {
  const std::size_t value = pixel_bytes_ / static_cast<std::size_t>(channels_);
  const std::size_t colours = 3 * value;
  const ofx::RectI shared = intersect(bounds_, rectangle);
  const std::size_t row = static_cast<std::size_t>(width(rectangle)) * colours;
  for (int y = rectangle.y2 - 1; y >= rectangle.y1; --y, to += row) {
    if (y < shared.y1 || y >= shared.y2 || width(shared) < width(rectangle)) {
      std::memset(to, 0, row);
    }
    if (y < shared.y1 || y >= shared.y2 || width(shared) <= 0) continue;
    const std::byte* from = at(shared.x1, y);
    std::byte* pixel = to + static_cast<std::size_t>(shared.x1 - rectangle.x1) * colours;
    for (int x = shared.x1; x < shared.x2; ++x, from += pixel_bytes_, pixel += colours) {
      if (channels_ >= 3) {
        std::memcpy(pixel, from, colours);
      } else {
        for (std::size_t colour = 0; colour < 3; ++colour) {
          std::memcpy(pixel + colour * value, from, value);
        }
      }
    }
  }
}

SharedBufferLock::SharedBufferLock() : lock_(shared_buffers, std::defer_lock) {
  if (Host::get().quirks.shared_buffers) static_cast<void>(lock_.try_lock_for(kLongestWait));
}

ofx::RectI intersect(const ofx::RectI& left, const ofx::RectI& right) {
  return {std::max(left.x1, right.x1), std::max(left.y1, right.y1), std::min(left.x2, right.x2),
          std::min(left.y2, right.y2)};
}

}  // namespace gvm::node
