// The source clip of an instance: its range, its extent in pixels, what it is called.
#pragma once

#include <cmath>
#include <string>

#include "bridge/windows.hpp"
#include "bridge/wish.hpp"
#include "host.hpp"
#include "host_image.hpp"

namespace gvm::plugin {

/// Pixels of an image for one unit of canonical coordinates.
struct Scale {
  double x = 1.0;
  double y = 1.0;
};

class SourceClip {
 public:
  explicit SourceClip(ofx::Effect instance);

  ofx::Clip handle() const { return clip_; }

  /// The frames that the clip has; just the one at `time` where the host gives no usable range.
  bridge::Window range(double time) const;

  /// The pixels that are matted: the clip's region at its first frame, so that they do not depend
  /// on the frame that is rendered; `otherwise` where the host names no finite region.
  ofx::RectI canvas(const bridge::Window& range, const Scale& scale,
                    const ofx::RectI& otherwise) const;

  /// The clip as the desk knows it.
  bridge::HostClip describe(const bridge::Window& range, const ofx::RectI& canvas,
                            bridge::PixelType depth) const;

  /// What the host says of its colours, or "".
  std::string colourspace() const { return properties_.text(ofx::kClipColourspace); }

  /// The whole region at a time, in canonical coordinates; false where the host does not say.
  bool region(double time, ofx::RectD& to) const;

 private:
  double pixel_aspect() const;

  ofx::Effect instance_;
  ofx::Clip clip_ = nullptr;
  Properties properties_;
};

inline std::int64_t frame_at(double time) { return static_cast<std::int64_t>(std::llround(time)); }

}  // namespace gvm::plugin
