#include "node/plate.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>

#include "bridge/errors.hpp"
#include "bridge/text.hpp"
#include "node/host.hpp"
#include "node/region.hpp"

namespace gvm::node {
namespace {

// Host images that one render holds at a time: the window of a 4K float clip. Past it, a frame
// that the server asks for is fetched a second time.
constexpr std::size_t kHeldBytes = std::size_t{1} << 30;

bool is_movie(const std::string& path) {
  std::string extension = std::filesystem::u8path(path).extension().u8string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return std::tolower(letter); });
  return std::find(bridge::kMovieExtensions.begin(), bridge::kMovieExtensions.end(), extension) !=
         bridge::kMovieExtensions.end();
}

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
    key = key_of(image(frame).get());
    sequence_.keep({frame, scale_}, key);
  }
  keys_[frame] = key;
  return key;
}

bridge::FrameRegion PlateFrames::region(std::int64_t frame) {
  const ofx::RectI lies = visible_part(image(frame).get());
  return {lies.x1 - canvas_.x1, canvas_.y2 - lies.y2, width(lies), height(lies)};
}

void PlateFrames::copy(std::int64_t frame, std::byte* to) {
  const std::shared_ptr<HostImage> shown = image(frame);
  const ofx::RectI lies = visible_part(shown.get());
  if (shown) return shown->copy_colours(lies, to);
  const std::int64_t values = std::int64_t{3} * width(lies) * height(lies);
  std::memset(to, 0, static_cast<std::size_t>(values * bridge::bytes_of(depth_)));
}

/// The part of the canvas where an image has pixels; where it has none, one pixel at the top left.
ofx::RectI PlateFrames::visible_part(const HostImage* image) const {
  const ofx::RectI lies = image ? intersect(image->bounds(), canvas_) : ofx::RectI{};
  if (width(lies) > 0 && height(lies) > 0) return lies;
  return {canvas_.x1, canvas_.y2 - 1, canvas_.x1 + 1, canvas_.y2};
}

std::shared_ptr<HostImage> PlateFrames::image(std::int64_t frame) {
  for (const auto& [number, image] : held_) {
    if (number == frame) return image;
  }
  token_.check();
  std::shared_ptr<HostImage> image = HostImage::fetch(source_, static_cast<double>(frame));
  if (!image) {
    token_.check();  // a host that has cancelled gives no images either
    if (is_empty(frame)) return nullptr;
    throw bridge::Error(
        bridge::code::kPlateMissing,
        "The host gave no picture of frame " + std::to_string(frame) + ", which the window needs.",
        "Set the source's range to the frames that it has.");
  }
  if (image->depth() != depth_) {
    throw bridge::Error(bridge::code::kPlateMismatch, "Frame " + std::to_string(frame) +
                                                          " has another bit depth than the rest.");
  }
  keep(frame, image);
  return image;
}

/// Whether the host reports an empty region at a frame.
bool PlateFrames::is_empty(std::int64_t frame) const {
  ofx::RectD region{};
  const ofx::Status status =
      Host::get().effect->clipGetRegionOfDefinition(source_, static_cast<double>(frame), &region);
  return status == ofx::kOk && (region.x2 <= region.x1 || region.y2 <= region.y1);
}

bridge::Hash PlateFrames::key_of(const HostImage* image) const {
  bridge::Hasher hasher;
  hasher.value(canvas_.x1).value(canvas_.y1).value(canvas_.x2).value(canvas_.y2).value(scale_);
  if (!image) return hasher.text("empty").end();
  if (Host::get().quirks.real_image_identifiers && !image->identifier().empty()) {
    const ofx::RectI& lies = image->bounds();  // the same picture may lie elsewhere
    hasher.value(lies.x1).value(lies.y1).value(lies.x2).value(lies.y2);
    return hasher.text(image->identifier()).end();
  }
  return hasher.value(image->hash()).end();
}

HostPlate::HostPlate(const SourceClip& source, double time, const Scale& scale,
                     std::shared_ptr<HostImage> image, SequenceKeys& sequence,
                     const bridge::CancelToken& token)
    : range_(source.range(time)),
      canvas_(source.canvas(range_, time, scale, image->bounds())),
      clip_(source.describe(range_, canvas_, image->depth())),
      token_(token),
      frames_(source.handle(), canvas_, scale.x, sequence, image->depth(), token) {
  if (!Host::get().temporal_access) {
    throw bridge::Error(bridge::code::kNoNeighbours,
                        "This host gives a node one frame at a time, and a matte needs its "
                        "neighbours.",
                        "Name the clip's file in Plate File, so that the server reads it itself.");
  }
  const std::int64_t frame = frame_at(time);
  const bool whole = time == static_cast<double>(frame);  // not a picture between two frames
  if (whole && range_.holds(frame)) frames_.keep(frame, std::move(image));
}

bridge::AlphaPtr HostPlate::matte(const bridge::MatteOptions& options, std::int64_t frame) {
  bridge::MatteOptions typed = options;
  const bool integers = clip_.pixel_type == bridge::PixelType::kUint8 ||
                        clip_.pixel_type == bridge::PixelType::kUint16;
  if (typed.colourspace == "auto") typed.colourspace = integers ? "srgb" : "scene_linear";
  // Before its first and after its last frame a clip shows these.
  return bridge::job_tracker()->alpha(typed, clip_, std::clamp(frame, range_.first, range_.last),
                                      frames_, token_);
}

bridge::MatteOptions with_region(const NodeSettings& node, const SourceClip& source,
                                 const ofx::RectI& canvas, const Scale& scale) {
  bridge::MatteOptions options = node.options;
  if (!node.region) return options;
  const ofx::RectD scaled{node.region->x1 * scale.x, node.region->y1 * scale.y,
                          node.region->x2 * scale.x, node.region->y2 * scale.y};
  options.regions = {region_of(scaled, canvas, source.pixel_aspect())};
  return options;
}

std::optional<DiskFrame> disk_frame(ofx::Effect instance, const NodeSettings& node,
                                    const bridge::Window& range, double time,
                                    ofx::PropertySet render_arguments) {
  if (!node.plate_file.empty()) {
    if (node.options.foreground) {
      throw bridge::Error(bridge::code::kBadRequest,
                          "The foreground is made of the host's own frames, and Plate File names a "
                          "file: its pixels need not be those that are shown.",
                          "Choose another Output, or clear Plate File.");
    }
    return DiskFrame{{node.plate_file, frame_at(time) + node.plate_offset}, node.plate_check};
  }
  // A region counts in the picture that the host shows: of its media that need not be the pixels.
  // Nor are its colours.
  if (!node.read_media || node.region || node.options.foreground) return std::nullopt;
  ofx::PropertySet set = nullptr;
  Host::get().effect->getPropertySet(instance, &set);
  const std::string path = Properties(set).text(ofx::kResolveSourcePath);
  const int frame = Properties(render_arguments).integer(ofx::kResolveSourceFrame, 0, -1);
  const bool by_index = range.first == 0 && range.holds(frame) && frame == frame_at(time);
  if (!bridge::is_absolute(path) || !is_movie(path) || !by_index) return std::nullopt;
  // The server's movies count from 1.
  return DiskFrame{{path, frame + 1}, PlateCheck::kRefuse, true};
}

bridge::FileFrame with_thumbnail(const DiskFrame& disk, const HostImage& image,
                                 const ofx::RectI& canvas, double aspect) {
  bridge::FileFrame frame = disk.frame;
  if (disk.check == PlateCheck::kNone) return frame;
  frame.shown = bridge::Shown{aspect, image.ranks(canvas), disk.check == PlateCheck::kSearch};
  return frame;
}

}  // namespace gvm::node
