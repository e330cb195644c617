#include "bridge/pixels.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bridge/errors.hpp"
#include "bridge/platform.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

/// Closes a file at the end of its block.
struct File {
  int number;
  ~File() {
    if (number >= 0) close(number);
  }
};

Error no_buffer(const fs::path& path, std::size_t nbytes, int reason) {
  const bool full = reason == ENOSPC || reason == EDQUOT;
  return {full ? code::kDiskFull : code::kOutputUnwritable,
          "A pixel buffer of " + std::to_string(nbytes) + " bytes cannot be made in " +
              path.parent_path().string() + ": " + std::strerror(reason) + ".",
          "Free some space there, or set GVM_RUNTIME_DIR to a larger disk."};
}

Error unreadable(const fs::path& path, const std::string& why) {
  return {code::kMalformed, "The pixel buffer " + path.string() + " " + why + "."};
}

/// A new file with all its space: with a hole in it, a full disk would be a bus error in the host.
std::byte* map_new(const fs::path& path, std::size_t nbytes) {
  const File file{open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (file.number < 0) throw no_buffer(path, nbytes, errno);
  const int refused = posix_fallocate(file.number, 0, static_cast<off_t>(nbytes));
  void* bytes = refused
                    ? MAP_FAILED
                    : mmap(nullptr, nbytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0);
  if (bytes == MAP_FAILED) {
    const int reason = refused ? refused : errno;
    unlink(path.c_str());
    throw no_buffer(path, nbytes, reason);
  }
  return static_cast<std::byte*>(bytes);
}

}  // namespace

PixelBuffer::PixelBuffer(const fs::path& folder, std::size_t nbytes)
    : path_(folder / (std::to_string(getpid()) + "-" + random_hex(16))),
      nbytes_(nbytes),
      bytes_(map_new(path_, nbytes)) {}

PixelBuffer::PixelBuffer(PixelBuffer&& other) noexcept
    : path_(std::move(other.path_)), nbytes_(other.nbytes_), bytes_(other.bytes_) {
  other.bytes_ = nullptr;
}

PixelBuffer::~PixelBuffer() {
  if (!bytes_) return;
  munmap(bytes_, nbytes_);
  unlink(path_.c_str());
}

std::vector<float> take_alpha(const fs::path& folder, const MappedFrame& frame) {
  const fs::path path = folder / frame.buffer;
  const File file{open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  if (file.number < 0) throw unreadable(path, std::string("cannot be opened: ") + strerror(errno));
  if (frame.channels != 1 || frame.pixel_type != PixelType::kFloat) {
    throw unreadable(path, "is no float alpha");
  }
  std::vector<float> alpha(static_cast<std::size_t>(frame.width * frame.height));
  auto* to = reinterpret_cast<char*>(alpha.data());
  std::size_t left = alpha.size() * sizeof(float);
  off_t at = static_cast<off_t>(frame.offset);
  while (left > 0) {
    const ssize_t count = pread(file.number, to, left, at);
    if (count <= 0) throw unreadable(path, "ends before its image does");
    to += count;
    at += count;
    left -= static_cast<std::size_t>(count);
  }
  unlink(path.c_str());
  return alpha;
}

}  // namespace gvm::bridge
