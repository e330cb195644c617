// The fake host's pictures: any depth, signed and padded rows, bounds anywhere, any scale.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <random>
#include <stdexcept>

#include "node/half.hpp"
#include "objects.hpp"
#include "openfx/effect.h"

namespace fake {
namespace {

using gvm::node::float_of_half;
using gvm::node::half_of_float;

int channels_of(const std::string& components) {
  if (components == ofx::kComponentsAlpha) return 1;
  return components == ofx::kComponentsRgb ? 3 : 4;
}
int bytes_of(const std::string& depth) {
  if (depth == ofx::kDepthByte) return 1;
  return depth == ofx::kDepthFloat ? 4 : 2;
}

void put(float value, const std::string& depth, std::byte* to) {
  if (depth == ofx::kDepthFloat) {
    std::memcpy(to, &value, 4);
  } else if (depth == ofx::kDepthHalf) {
    const std::uint16_t bits = half_of_float(value);
    std::memcpy(to, &bits, 2);
  } else if (depth == ofx::kDepthShort) {
    const auto bits =
        static_cast<std::uint16_t>(std::lround(std::fmin(std::fmax(value, 0), 1) * 65535));
    std::memcpy(to, &bits, 2);
  } else {
    *to = static_cast<std::byte>(std::lround(std::fmin(std::fmax(value, 0), 1) * 255));
  }
}

float take(const std::byte* from, const std::string& depth) {
  if (depth == ofx::kDepthByte) return std::to_integer<int>(*from) / 255.0f;
  if (depth == ofx::kDepthFloat) {
    float value;
    std::memcpy(&value, from, 4);
    return value;
  }
  std::uint16_t bits;
  std::memcpy(&bits, from, 2);
  return depth == ofx::kDepthHalf ? float_of_half(bits) : bits / 65535.0f;
}

/// An image as the plug-in gets it, and the memory that it points to.
struct Picture {
  std::vector<std::byte> bytes;
  ofx::RectI bounds{};
  int row_bytes = 0;
  std::string depth, components;
};

/// A picture's shape, without its memory.
Picture shape(const ofx::RectI& bounds, const std::string& components) {
  const Behaviour& how = world().behaviour;
  Picture picture;
  picture.bounds = bounds;
  picture.depth = how.depth;
  picture.components = components;
  const int packed = (bounds.x2 - bounds.x1) * channels_of(components) * bytes_of(how.depth);
  const int row = packed + how.row_padding;
  picture.row_bytes = how.negative_rows ? -row : row;
  return picture;
}

/// How far its lowest row lies from the start of its memory.
std::ptrdiff_t lowest_offset(const Picture& picture) {
  const int rows = picture.bounds.y2 - picture.bounds.y1;
  return picture.row_bytes >= 0 ? 0 : -static_cast<std::ptrdiff_t>(picture.row_bytes) * (rows - 1);
}

std::size_t size_of(const Picture& picture) {
  const auto rows = static_cast<std::size_t>(picture.bounds.y2 - picture.bounds.y1);
  return static_cast<std::size_t>(std::abs(picture.row_bytes)) * rows;
}

std::vector<float> read_plate(const Plate& plate, int frame) {
  std::vector<float> pixels(static_cast<std::size_t>(plate.width) * plate.height * 4);
  std::ifstream file(plate.folder + "/" + std::to_string(frame) + ".raw", std::ios::binary);
  file.read(reinterpret_cast<char*>(pixels.data()),
            static_cast<std::streamsize>(pixels.size() * sizeof(float)));
  if (!file) throw std::runtime_error("no plate frame " + std::to_string(frame));
  return pixels;
}

/// A part of the plate, as it lies in the host's pixels.
ofx::RectI lies(const ofx::RectI& part, double scale) {
  const Behaviour& how = world().behaviour;
  const auto pixel = [&](int at) { return static_cast<int>(std::lround(at * scale)); };
  return {pixel(how.offset_x + part.x1), pixel(how.offset_y + part.y1),
          pixel(how.offset_x + part.x2), pixel(how.offset_y + part.y2)};
}

/// What a pixel of a proxy shows: the plate's pixels that it covers, as hosts filter them.
std::array<float, 4> average(const Plate& plate, const std::vector<float>& pixels, int x, int y,
                             double scale) {
  const auto side = [&](int at, int whole) {
    const int first = std::min(static_cast<int>(at / scale), whole - 1);
    return std::pair(first, std::clamp(static_cast<int>((at + 1) / scale), first + 1, whole));
  };
  const auto [left, right] = side(x, plate.width);
  const auto [low, high] = side(y, plate.height);
  std::array<float, 4> sum{};
  for (int row = low; row < high; ++row) {
    for (int column = left; column < right; ++column) {
      const auto at = static_cast<std::size_t>(plate.height - 1 - row) * plate.width + column;
      for (std::size_t channel = 0; channel < 4; ++channel) sum[channel] += pixels[at * 4 + channel];
    }
  }
  const auto count = static_cast<float>((right - left) * (high - low));
  for (float& value : sum) value /= count;
  return sum;
}

Picture picture_of(const Plate& plate, int frame, const ofx::RectI& part, double scale,
                   const std::string& components) {
  const std::vector<float> pixels = read_plate(plate, frame);
  const ofx::RectI whole = pixel_rectangle(plate, scale);
  Picture picture = shape(lies(part, scale), components);
  const int left = picture.bounds.x1 - whole.x1, low = picture.bounds.y1 - whole.y1;
  picture.bytes.assign(size_of(picture), std::byte{0xA5});
  const int channels = channels_of(components), bytes = bytes_of(picture.depth);
  const int wide = picture.bounds.x2 - picture.bounds.x1;
  const int high = picture.bounds.y2 - picture.bounds.y1;
  for (int y = 0; y < high; ++y) {
    std::byte* to = picture.bytes.data() + lowest_offset(picture) + y * picture.row_bytes;
    for (int x = 0; x < wide; ++x) {
      const std::array<float, 4> pixel = average(plate, pixels, left + x, low + y, scale);
      for (int channel = 0; channel < channels; ++channel, to += bytes) {
        put(pixel[channels == 1 ? 3 : channel], picture.depth, to);
      }
    }
  }
  return picture;
}

/// An image's handle: its properties, and its pixels for as long as it is out.
struct Lent : ofx::PropertySetStruct {
  std::shared_ptr<Picture> picture;
};

ofx::PropertySet lend(std::shared_ptr<Picture> picture, std::byte* data, const std::string& id) {
  auto* lent = new Lent;
  lent->picture = std::move(picture);
  const Picture& of = *lent->picture;
  lent->set(ofx::kPropType, 0, std::string("OfxTypeImage"));
  if (data) lent->set(ofx::kImageData, 0, static_cast<void*>(data));
  lent->set(ofx::kImageRowBytes, 0, of.row_bytes);
  const int sides[] = {of.bounds.x1, of.bounds.y1, of.bounds.x2, of.bounds.y2};
  for (int index = 0; index < 4; ++index) lent->set(ofx::kImageBounds, index, sides[index]);
  lent->set(ofx::kPixelDepth, 0, of.depth);
  lent->set(ofx::kComponents, 0, of.components);
  if (!id.empty()) lent->set(ofx::kImageUniqueIdentifier, 0, id);
  ++world().images_out;
  return lent;
}

std::string identifier(const Picture& picture) {
  const std::string& how = world().behaviour.identifiers;
  if (how == "random") return std::to_string(std::random_device{}());
  if (how != "hash") return "";
  std::size_t hash = 1469598103934665603u;
  for (const std::byte byte : picture.bytes)
    hash = (hash ^ std::to_integer<unsigned>(byte)) * 1099511628211u;
  return std::to_string(hash);
}

/// Pictures that were made, by plate, frame and scale: a host has a cache.
std::shared_ptr<Picture> cached(const Plate& plate, int frame, const ofx::RectI& part,
                                double scale, const std::string& components) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<Picture>> known;
  const std::string name = plate.folder + "/" + std::to_string(frame) + "@" +
                           std::to_string(scale) + components + world().behaviour.depth +
                           std::to_string(world().behaviour.row_padding) + "," +
                           std::to_string(part.x1) + "," + std::to_string(part.y1) + "," +
                           std::to_string(part.x2) + "," + std::to_string(part.y2) +
                           (world().behaviour.negative_rows ? "-" : "+");
  const std::lock_guard lock(mutex);
  if (known.size() > 64) known.clear();
  auto& picture = known[name];
  if (!picture) {
    picture = std::make_shared<Picture>(picture_of(plate, frame, part, scale, components));
  }
  return picture;
}

/// The n-th picture of any render lies in the n-th buffer, whoever still reads what was there.
std::shared_ptr<Picture> in_shared_buffer(const Picture& picture) {
  static std::mutex mutex;
  static std::vector<std::shared_ptr<Picture>> buffers;
  const std::lock_guard lock(mutex);
  const std::size_t place = render_state().fetched++;
  if (buffers.size() <= place) buffers.resize(place + 1);
  std::shared_ptr<Picture>& buffer = buffers[place];
  if (!buffer || buffer->bytes.size() != picture.bytes.size()) {
    buffer = std::make_shared<Picture>(picture);
  } else {
    std::copy(picture.bytes.begin(), picture.bytes.end(), buffer->bytes.begin());
  }
  return buffer;
}

/// Frames that a host renders ahead run from the first of a pair in steps of one.
void check_announced(double time) {
  RenderState& state = render_state();
  for (std::size_t at = 0; at + 1 < state.announced.size(); at += 2) {
    const double steps = time - state.announced[at];
    const bool among = steps >= 0 && time <= state.announced[at + 1];
    if (among && steps == std::floor(steps)) return;
  }
  if (!state.announced.empty()) state.unannounced.push_back(time);
}

bool holds(const std::vector<int>& frames, int frame) {
  return std::find(frames.begin(), frames.end(), frame) != frames.end();
}

Picture output_shape(const RenderState& state) {
  return shape(pixel_rectangle(world().plate, state.scale), world().behaviour.output_components);
}

ofx::PropertySet output_image() {
  RenderState& state = render_state();
  auto picture = std::make_shared<Picture>(output_shape(state));
  return lend(picture, state.output.data() + lowest_offset(*picture), "");
}

}  // namespace

ofx::RectI pixel_rectangle(const Plate& plate, double scale) {
  return lies({0, 0, plate.width, plate.height}, scale);
}

ofx::Status get_image(ofx::Clip clip, double time, ofx::PropertySet* image) {
  int frame = static_cast<int>(std::lround(time));
  World& all = world();
  if (clip->name == ofx::kOutputClip) {
    *image = output_image();
    return ofx::kOk;
  }
  const bool is_source = clip->name == ofx::kSourceClip;
  const Plate& plate = is_source ? all.plate : clip->name == "Garbage" ? all.garbage : all.holdout;
  if (is_source) {
    check_announced(time);
    const std::lock_guard lock(all.fetch_mutex);
    ++all.fetches[frame];
  }
  if (is_source) {
    const double since = (time - plate.first) * all.behaviour.rate;
    frame = plate.first + all.behaviour.cut + static_cast<int>(std::lround(since));
  }
  if (is_source && all.behaviour.beyond) frame = std::clamp(frame, plate.first, plate.last);
  if (plate.width == 0 || frame < plate.first || frame > plate.last) return ofx::kFailed;
  if (is_source && holds(all.behaviour.failing_frames, frame)) return ofx::kFailed;
  if (is_source && all.behaviour.only_own_range) {
    const auto& range = clip->properties.values.at(ofx::kFrameRange);
    if (frame < std::get<double>(range[0]) || frame > std::get<double>(range[1])) {
      return ofx::kFailed;
    }
  }
  const std::string components = is_source ? all.behaviour.components : ofx::kComponentsAlpha;
  const ofx::RectI part =
      is_source ? region_at(frame) : ofx::RectI{0, 0, plate.width, plate.height};
  if (part.x2 <= part.x1 || part.y2 <= part.y1) return ofx::kFailed;
  auto picture = cached(plate, frame, part, render_state().scale, components);
  if (is_source && all.behaviour.shared_buffers) picture = in_shared_buffer(*picture);
  const bool hollow = is_source && holds(all.behaviour.hollow_frames, frame);
  *image = lend(picture, hollow ? nullptr : picture->bytes.data() + lowest_offset(*picture),
                identifier(*picture));
  return ofx::kOk;
}

ofx::Status release_image(ofx::PropertySet image) {
  delete static_cast<Lent*>(image);
  --world().images_out;
  return ofx::kOk;
}

void prepare_output(RenderState& state) {
  state.output.assign(size_of(output_shape(state)), std::byte{0xA5});
}

std::vector<float> read_output(const RenderState& state) {
  const Picture picture = output_shape(state);
  const int channels = channels_of(picture.components), bytes = bytes_of(picture.depth);
  const int wide = picture.bounds.x2 - picture.bounds.x1;
  std::vector<float> values;
  for (int y = picture.bounds.y2 - picture.bounds.y1 - 1; y >= 0; --y) {
    const std::byte* row = state.output.data() + lowest_offset(picture) + y * picture.row_bytes;
    for (int index = 0; index < wide * channels; ++index) {
      values.push_back(take(row + index * bytes, picture.depth));
    }
  }
  return values;
}

}  // namespace fake
