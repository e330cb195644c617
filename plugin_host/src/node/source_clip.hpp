// The source clip of an instance: its range, its extent in pixels, what it is called.
#pragma once

#include <atomic>
#include <cmath>
#include <mutex>
#include <optional>
#include <string>

#include "bridge/frame_request.hpp"
#include "bridge/windows.hpp"
#include "node/host.hpp"
#include "node/host_image.hpp"

namespace gvm::node {

/// Pixels of an image for one unit of canonical coordinates.
struct Scale {
  double x = 1.0;
  double y = 1.0;
};

/// One range for all instances of a clip: Resolve's report ranges that differ by a frame or two.
///
/// A clip's first and last frame are in the keys of its mattes and in its window plan, so
/// instances that differ in them would share nothing. Returned are the frames of a media file that
/// instances of this process know together, `own` among them; ranges that differ by more than a
/// few frames at an end are other clips'.
bridge::Window shared_range(const std::string& media, const bridge::Window& own);

/// Forgets all of them, when the plug-in is unloaded.
void forget_shared_ranges();

class SourceClip {
 public:
  explicit SourceClip(ofx::Effect instance);

  ofx::Clip handle() const { return clip_; }

  /// The frames that the clip has; just the one at `time` where the host gives no usable range.
  ///
  /// Where instances of one clip differ by a frame or two they are all instances'
  /// (`shared_range`).
  bridge::Window range(double time) const;

  /// The frames as the host tells this instance.
  bridge::Window own_range(double time) const;

  /// From now on `range` is this instance's own; false where it was that already.
  bool use_own_range(double time) const;

  /// The pixels that are matted, the same for every frame that is rendered: the clip's whole
  /// region; `otherwise` where the host names no finite one.
  ofx::RectI canvas(const bridge::Window& range, double time, const Scale& scale,
                    const ofx::RectI& otherwise) const;

  /// The clip's whole region in canonical coordinates: the regions of all its frames. Where they
  /// differ they are windows on a picture, and the project's rectangle belongs to it; where none
  /// is finite it is that rectangle. Nothing where the host does not report that either.
  ///
  /// It is asked for once, and again after `forget_regions` or where `time` shows more.
  std::optional<ofx::RectD> whole(const bridge::Window& range, double time) const;
  void forget_regions();

  /// The clip as the job tracker knows it.
  bridge::HostClip describe(const bridge::Window& range, const ofx::RectI& canvas,
                            bridge::PixelType depth) const;

  /// The width of a canvas over its height, as it is looked at.
  double aspect(const ofx::RectI& canvas, const Scale& scale) const;

  /// The colour space that the host reports, or "".
  std::string colourspace() const { return properties_.text(ofx::kClipColourspace); }

  /// Whether the host marks the clip as the source of a thumbnail; Resolve does, at full
  /// scale.
  bool is_thumbnail() const { return properties_.integer(ofx::kResolveThumbnail, 0, 0) != 0; }

  /// The whole region at a time, in canonical coordinates; false where the host does not report
  /// it.
  bool region(double time, ofx::RectD& to) const;

  /// The width of a pixel over its height.
  double pixel_aspect() const;

 private:
  std::optional<ofx::RectD> find_region(const bridge::Window& range) const;
  std::optional<ofx::RectD> project() const;

  mutable std::atomic<bool> uses_own_range_ = false;  // with its range
  mutable std::mutex mutex_;
  mutable bool known_ = false;
  mutable bridge::Window known_range_{};
  mutable std::optional<ofx::RectD> whole_;
  ofx::Effect instance_;
  ofx::Clip clip_ = nullptr;
  Properties properties_;
};

inline std::int64_t frame_at(double time) { return static_cast<std::int64_t>(std::llround(time)); }

}  // namespace gvm::node
