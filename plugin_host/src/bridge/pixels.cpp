#include "bridge/pixels.hpp"

#include "bridge/errors.hpp"
#include "bridge/platform.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

std::byte* new_buffer(const fs::path& path, std::size_t nbytes) {
  try {
    return map_new(path, nbytes);
  } catch (const SystemError& refused) {
    throw Error(refused.disk_full() ? code::kDiskFull : code::kOutputUnwritable,
                "A pixel buffer of " + std::to_string(nbytes) + " bytes cannot be made in " +
                    path.parent_path().u8string() + ": " + refused.what() + ".",
                "Free some space there, or set GVM_RUNTIME_DIR to a larger disk.");
  }
}

Error unreadable(const fs::path& path, const std::string& why) {
  return {code::kMalformed, "The pixel buffer " + path.u8string() + " " + why + "."};
}

}  // namespace

PixelBuffer::PixelBuffer(const fs::path& folder, std::size_t nbytes)
    : path_(folder / (std::to_string(process_id()) + "-" + random_hex(16))),
      nbytes_(nbytes),
      bytes_(new_buffer(path_, nbytes)) {}

PixelBuffer::PixelBuffer(PixelBuffer&& other) noexcept
    : path_(std::move(other.path_)), nbytes_(other.nbytes_), bytes_(other.bytes_) {
  other.bytes_ = nullptr;
}

PixelBuffer::~PixelBuffer() {
  if (!bytes_) return;
  unmap(bytes_, nbytes_);
  remove_file(path_);
}

std::vector<float> take_floats(const fs::path& folder, const MappedFrame& frame,
                               std::int64_t channels) {
  const fs::path path = folder / frame.buffer;
  if (frame.channels != channels || frame.pixel_type != PixelType::kFloat) {
    throw unreadable(path, "is no float image of " + std::to_string(channels) + " channels");
  }
  std::vector<float> pixels(static_cast<std::size_t>(frame.width * frame.height * channels));
  try {
    if (!read_at(path, frame.offset, pixels.data(), pixels.size() * sizeof(float))) {
      throw unreadable(path, "ends before its image does");
    }
  } catch (const SystemError& refused) {
    throw unreadable(path, std::string("cannot be opened: ") + refused.what());
  }
  remove_file(path);
  return pixels;
}

}  // namespace gvm::bridge
