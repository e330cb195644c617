#include "bridge/pixel_transfer.hpp"

#include <algorithm>
#include <memory>

namespace gvm::bridge {

void PlateSender::send(const NeedFrames& need, const SendFrames& send_frames) {
  for (const std::int64_t frame : need.frames) {
    token_.check();
    send_frames(GiveFrames{need.job, {map(frame)}});
  }
}

MappedFrame PlateSender::map(std::int64_t frame) {
  MappedFrame image;
  image.frame = frame;
  image.key = reader_.key(frame).hex();
  const FrameRegion region = reader_.region(frame);
  image.x = region.x;
  image.y = region.y;
  image.width = region.width;
  image.height = region.height;
  image.channels = 3;
  image.pixel_type = clip_.pixel_type;
  buffers_.emplace_back(folder_, static_cast<std::size_t>(bytes_of(image)));
  image.buffer = buffers_.back().name();
  reader_.copy(frame, buffers_.back().bytes());
  return image;
}

AlphaPtr AlphaReceiver::receive(const FrameReady& message) const {
  const MappedFrame& image = *message.mapped;
  auto alpha = std::make_shared<Alpha>();
  alpha->width = image.width;
  alpha->height = image.height;
  alpha->pixels = take_floats(folder_, image, 1);
  if (message.foreground) {
    const MappedFrame& colours = *message.foreground;
    if (colours.width != image.width || colours.height != image.height ||
        colours.x != image.x || colours.y != image.y) {
      throw Error(code::kMalformed, "The server gave colours that do not lie on their alpha.");
    }
    alpha->colours = take_floats(folder_, colours, 3);
  }
  if (width_ > 0) lay_on_region(image, *alpha);
  alpha->preview = preview_;
  alpha->roi_cut = message.roi_cut;
  alpha->clip = clip_;
  return alpha;
}

/// Around the part of the region that the image covers everything is 0.
void AlphaReceiver::lay_on_region(const MappedFrame& image, Alpha& alpha) const {
  if (image.width == width_ && image.height == height_) return;
  if (image.x < 0 || image.y < 0 || image.x + image.width > width_ ||
      image.y + image.height > height_) {
    throw Error(code::kMalformed, "The server gave an alpha that reaches outside the clip.");
  }
  const auto lay = [&](std::vector<float>& pixels, std::int64_t channels) {
    std::vector<float> whole(static_cast<std::size_t>(width_ * height_ * channels), 0.0f);
    for (std::int64_t row = 0; row < image.height; ++row) {
      std::copy_n(pixels.begin() + row * image.width * channels, image.width * channels,
                  whole.begin() + ((image.y + row) * width_ + image.x) * channels);
    }
    pixels = std::move(whole);
  };
  lay(alpha.pixels, 1);
  if (!alpha.colours.empty()) lay(alpha.colours, 3);
  alpha.width = width_;
  alpha.height = height_;
}

}  // namespace gvm::bridge
