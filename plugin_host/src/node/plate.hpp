// Where a frame's plate comes from: the host's own frames, or a file on disk.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "bridge/cancel_token.hpp"
#include "bridge/frame_request.hpp"
#include "bridge/job_tracker.hpp"
#include "node/host_image.hpp"
#include "node/parameters.hpp"
#include "node/source_clip.hpp"

namespace gvm::node {

/// Keys of frames that cannot change before the host's render sequence ends.
class SequenceKeys {
 public:
  using Place = std::pair<std::int64_t, double>;  // frame, render scale

  /// `trusted`: frames cannot change before `end`. Sequences may overlap; keys are kept where all
  /// that are open are trusted.
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

/// The source clip's frames, fetched on the render thread, each once.
class PlateFrames : public bridge::PlateReader {
 public:
  /// `canvas` is the rectangle of pixels that is matted, the same for every frame of the clip.
  PlateFrames(ofx::Clip source, const ofx::RectI& canvas, double scale, SequenceKeys& sequence,
              bridge::PixelType depth, const bridge::CancelToken& token)
      : source_(source),
        canvas_(canvas),
        scale_(scale),
        sequence_(sequence),
        token_(token),
        depth_(depth) {}

  /// An image that was fetched already is handed over, to be fetched no second time.
  void keep(std::int64_t frame, std::shared_ptr<HostImage> image);

  bridge::Hash key(std::int64_t frame) override;
  bridge::FrameRegion region(std::int64_t frame) override;
  void copy(std::int64_t frame, std::byte* to) override;

 private:
  /// The frame's image; null where its region is empty: there is nothing, which is black.
  /// Throws Error (plate_missing, plate_mismatch); Aborted.
  std::shared_ptr<HostImage> image(std::int64_t frame);
  ofx::RectI visible_part(const HostImage* image) const;
  bridge::Hash key_of(const HostImage* image) const;
  bool is_empty(std::int64_t frame) const;

  ofx::Clip source_;
  ofx::RectI canvas_;
  double scale_;
  SequenceKeys& sequence_;
  const bridge::CancelToken& token_;
  std::map<std::int64_t, bridge::Hash> keys_;
  std::list<std::pair<std::int64_t, std::shared_ptr<HostImage>>> held_;  // the latest first
  std::size_t held_bytes_ = 0;
  bridge::PixelType depth_;
};

/// The clip's frames as a host gives them, at one scale; made once and asked for any frame.
class HostPlate {
 public:
  /// Throws Error (no_neighbours) where the host gives a node one frame at a time.
  HostPlate(const SourceClip& source, double time, const Scale& scale,
            std::shared_ptr<HostImage> image, SequenceKeys& sequence,
            const bridge::CancelToken& token);

  const bridge::Window& range() const { return range_; }
  const ofx::RectI& canvas() const { return canvas_; }

  /// Throws Error; Aborted.
  bridge::AlphaPtr matte(const bridge::MatteOptions& options, std::int64_t frame);

 private:
  bridge::Window range_;
  ofx::RectI canvas_;
  bridge::HostClip clip_;
  const bridge::CancelToken& token_;
  PlateFrames frames_;
};

/// The options with the region that the artist has drawn, in the pixels of a canvas of the clip.
/// Throws Error (bad_request): it has no area, or lies too far away.
bridge::MatteOptions with_region(const NodeSettings& node, const SourceClip& source,
                                 const ofx::RectI& canvas, const Scale& scale);

/// The plate on disk that stands for the host's frame, where there is one.
///
/// It is the one that the artist named, else, where the artist wants it, the media that Resolve
/// names; `optional` is set for the latter, which may be of a kind that the server cannot read, or
/// not what is shown. Its frame counts from 0 on some pages and from a time code in some projects:
/// it is used only where it is the time of the render, in a clip whose `range` begins with 0.
struct DiskFrame {
  bridge::FileFrame frame;
  PlateCheck check = PlateCheck::kRefuse;
  bool optional = false;
};
std::optional<DiskFrame> disk_frame(ofx::Effect instance, const NodeSettings& node,
                                    const bridge::Window& range, double time,
                                    ofx::PropertySet render_arguments);

/// The frame with what the host shows there, by which the server tells that it is that frame.
bridge::FileFrame with_thumbnail(const DiskFrame& disk, const HostImage& image,
                                 const ofx::RectI& canvas, double aspect);

}  // namespace gvm::node
