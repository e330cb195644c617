// One image of the host, given back at the end of its block: signed rows, any bounds, four depths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bridge/hash.hpp"
#include "bridge/messages.hpp"
#include "openfx/effect.h"

namespace gvm::node {

class HostImage {
 public:
  /// The clip's image, or null where the host has none there: no image, or one without data. It is
  /// a copy where the host may give the same buffer to other nodes meanwhile.
  static std::unique_ptr<HostImage> fetch(ofx::Clip clip, double time);

  /// The image that is written.
  static std::unique_ptr<HostImage> fetch_output(ofx::Clip clip, double time);

  ~HostImage();
  HostImage(const HostImage&) = delete;
  HostImage& operator=(const HostImage&) = delete;

  const ofx::RectI& bounds() const { return bounds_; }
  bridge::PixelType depth() const { return depth_; }
  int channels() const { return channels_; }
  std::size_t pixel_bytes() const { return pixel_bytes_; }
  std::size_t bytes() const;
  const std::string& identifier() const { return identifier_; }

  /// The address of a pixel within the bounds; y grows upwards.
  std::byte* at(int x, int y) const;

  /// A hash of bounds, type and every pixel; rows' padding is left out.
  bridge::Hash hash() const;

  /// The thumbnail of a canvas, by which the server tells this picture from others.
  std::vector<std::int64_t> ranks(const ofx::RectI& canvas) const;

  /// Copies the colours of a rectangle, rows from the top down; black where the image has none.
  void copy_colours(const ofx::RectI& rectangle, std::byte* to) const;

 private:
  explicit HostImage(ofx::PropertySet image);
  bool read();
  void copy_out();

  ofx::PropertySet image_;
  std::vector<std::byte> own_;  // empty where the host's are read
  std::byte* data_ = nullptr;
  std::ptrdiff_t row_bytes_ = 0;
  ofx::RectI bounds_{};
  bridge::PixelType depth_ = bridge::PixelType::kFloat;
  int channels_ = 4;
  std::size_t pixel_bytes_ = 16;
  std::string identifier_;
};

/// Serialises access to the pixels of hosts that lend one buffer to several nodes.
///
/// Fusion Studio was seen to hand the buffer of one picture to nodes on parallel branches; an
/// output made of another's pixels stays in its cache. So there a source is copied as soon as it
/// is fetched, an output is written in one go, and neither while another instance does. In other
/// hosts it locks nothing.
class SharedBufferLock {
 public:
  /// Waits for the others, for two seconds at most: a node above this one may have to render on
  /// another thread first.
  SharedBufferLock();

 private:
  std::unique_lock<std::recursive_timed_mutex> lock_;
};

ofx::RectI intersect(const ofx::RectI& left, const ofx::RectI& right);
inline int width(const ofx::RectI& rectangle) { return rectangle.x2 - rectangle.x1; }
inline int height(const ofx::RectI& rectangle) { return rectangle.y2 - rectangle.y1; }

}  // namespace gvm::node
