// The source clip as the desk's plate: frames are fetched on the render thread, each once.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "bridge/watch.hpp"
#include "bridge/wish.hpp"
#include "host_image.hpp"

namespace gvm::plugin {

/// Keys of frames that cannot change before the host's render sequence ends.
class SequenceKeys {
 public:
  using Place = std::pair<std::int64_t, double>;  // frame, render scale

  void begin(bool trusted);
  void end();
  void forget();
  bool find(const Place& place, bridge::Hash& key) const;
  void keep(const Place& place, const bridge::Hash& key);

 private:
  mutable std::mutex mutex_;
  int open_ = 0;
  bool trusted_ = false;
  std::map<Place, bridge::Hash> keys_;
};

class PlateFrames : public bridge::PlateReader {
 public:
  /// `canvas` is the rectangle of pixels that is matted, the same for every frame of the clip.
  PlateFrames(ofx::Clip source, const ofx::RectI& canvas, double scale, SequenceKeys& sequence,
              bridge::PixelType depth, const bridge::Watch& watch)
      : source_(source),
        canvas_(canvas),
        scale_(scale),
        sequence_(sequence),
        watch_(watch),
        depth_(depth) {}

  /// An image that was fetched already is handed over, to be fetched no second time.
  void keep(std::int64_t frame, std::shared_ptr<HostImage> image);

  bridge::Hash key(std::int64_t frame) override;
  bridge::Part part(std::int64_t frame) override;
  void copy(std::int64_t frame, std::byte* to) override;

 private:
  /// The frame's image; null where its region is empty: there is nothing, which is black.
  /// Throws Error (plate_missing, plate_mismatch); Aborted.
  std::shared_ptr<HostImage> image(std::int64_t frame);
  ofx::RectI seen(const HostImage* image) const;
  bridge::Hash key_of(const HostImage* image) const;
  bool is_empty(std::int64_t frame) const;

  ofx::Clip source_;
  ofx::RectI canvas_;
  double scale_;
  SequenceKeys& sequence_;
  const bridge::Watch& watch_;
  std::map<std::int64_t, bridge::Hash> keys_;
  std::list<std::pair<std::int64_t, std::shared_ptr<HostImage>>> held_;  // the latest first
  std::size_t held_bytes_ = 0;
  bridge::PixelType depth_;
};

}  // namespace gvm::plugin
