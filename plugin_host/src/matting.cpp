#include "matting.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <mutex>

#include "bridge/errors.hpp"

namespace gvm::plugin {
namespace {

// Alphas that this process keeps: about 120 frames of 1080p.
constexpr std::size_t kStoreBytes = std::size_t{1} << 30;

struct OpenDesk {
  std::mutex mutex;
  std::shared_ptr<bridge::Desk> desk;
};

OpenDesk& open_desk() {
  static OpenDesk the;
  return the;
}

bool is_movie(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return std::tolower(letter); });
  return std::find(bridge::kMovieExtensions.begin(), bridge::kMovieExtensions.end(), extension) !=
         bridge::kMovieExtensions.end();
}

}  // namespace

std::shared_ptr<bridge::Desk> desk() {
  const std::lock_guard lock(open_desk().mutex);
  std::shared_ptr<bridge::Desk>& the = open_desk().desk;
  if (!the) the = std::make_shared<bridge::Desk>(kStoreBytes);
  return the;
}

void close_desk() {
  const std::lock_guard lock(open_desk().mutex);
  open_desk().desk.reset();
}

std::optional<DiskFrame> disk_frame(ofx::Effect instance, const NodeSettings& node,
                                    const bridge::Window& range, double time,
                                    ofx::PropertySet render_arguments) {
  if (!node.plate_file.empty()) {
    return DiskFrame{{node.plate_file, frame_at(time) + node.plate_offset}, node.plate_check};
  }
  if (!node.read_media) return std::nullopt;
  ofx::PropertySet set = nullptr;
  Host::the().effect->getPropertySet(instance, &set);
  const std::string path = Properties(set).text(ofx::kResolveSourcePath);
  const int frame = Properties(render_arguments).integer(ofx::kResolveSourceFrame, 0, -1);
  const bool by_index = range.first == 0 && range.holds(frame) && frame == frame_at(time);
  if (path.empty() || path[0] != '/' || !is_movie(path) || !by_index) return std::nullopt;
  // The server's movies count from 1.
  return DiskFrame{{path, frame + 1}, PlateCheck::kRefuse, true};
}

bridge::FileFrame with_picture(const DiskFrame& disk, const HostImage& image,
                               const ofx::RectI& canvas, double aspect) {
  bridge::FileFrame frame = disk.frame;
  if (disk.check == PlateCheck::kNone) return frame;
  frame.shown = bridge::Shown{aspect, image.ranks(canvas), disk.check == PlateCheck::kSearch};
  return frame;
}

HostPlate::HostPlate(const SourceClip& source, double time, const Scale& scale,
                     std::shared_ptr<HostImage> image, SequenceKeys& sequence,
                     const bridge::Watch& watch)
    : range_(source.range(time)),
      canvas_(source.canvas(range_, time, scale, image->bounds())),
      clip_(source.describe(range_, canvas_, image->depth())),
      watch_(watch),
      frames_(source.handle(), canvas_, scale.x, sequence, image->depth(), watch) {
  if (!Host::the().temporal_access) {
    throw bridge::Error(bridge::code::kNoNeighbours,
                        "This host gives a node one frame at a time, and a matte needs its "
                        "neighbours.",
                        "Name the clip's file in Plate File, so that the server reads it itself.");
  }
  const std::int64_t frame = frame_at(time);
  const bool whole = time == static_cast<double>(frame);  // not a picture between two frames
  if (whole && range_.holds(frame)) frames_.keep(frame, std::move(image));
}

bridge::AlphaPtr HostPlate::matte(const bridge::Wish& wish, std::int64_t frame) {
  bridge::Wish typed = wish;
  const bool integers = clip_.pixel_type == bridge::PixelType::kUint8 ||
                        clip_.pixel_type == bridge::PixelType::kUint16;
  if (typed.colourspace == "auto") typed.colourspace = integers ? "srgb" : "scene_linear";
  // Before its first and after its last frame a clip shows these.
  return desk()->alpha(typed, clip_, std::clamp(frame, range_.first, range_.last), frames_,
                       watch_);
}

}  // namespace gvm::plugin
