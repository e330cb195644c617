// From a node's settings to an alpha: where the plate comes from, then one call of the desk.
#pragma once

#include <memory>
#include <optional>

#include "bridge/desk.hpp"
#include "node_settings.hpp"
#include "plate_frames.hpp"
#include "source_clip.hpp"

namespace gvm::plugin {

/// The desk of this process, made when it is first asked for.
std::shared_ptr<bridge::Desk> desk();

/// Lets the desk go with all its alphas; renders that are under way keep theirs.
void close_desk();

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
bridge::FileFrame with_picture(const DiskFrame& disk, const HostImage& image,
                               const ofx::RectI& canvas, double aspect);

/// The clip's frames as a host gives them, at one scale; made once and asked for any frame.
class HostPlate {
 public:
  /// Throws Error (no_neighbours) where the host gives a node one frame at a time.
  HostPlate(const SourceClip& source, double time, const Scale& scale,
            std::shared_ptr<HostImage> image, SequenceKeys& sequence, const bridge::Watch& watch);

  const bridge::Window& range() const { return range_; }
  const ofx::RectI& canvas() const { return canvas_; }

  /// Throws Error; Aborted.
  bridge::AlphaPtr matte(const bridge::Wish& wish, std::int64_t frame);

 private:
  bridge::Window range_;
  ofx::RectI canvas_;
  bridge::HostClip clip_;
  const bridge::Watch& watch_;
  PlateFrames frames_;
};

}  // namespace gvm::plugin
