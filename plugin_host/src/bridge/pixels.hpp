// Pixels in memory-mapped files of the run-time folder: plates go to the server so, alphas come
// back.
//
// A buffer has its full size, with the disk space taken, before its name is sent; its maker
// deletes it; a reader never maps past the end of the file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "bridge/messages.hpp"

namespace gvm::bridge {

/// A writable buffer; deleted with the object.
class PixelBuffer {
 public:
  /// Throws Error: disk_full or output_unwritable.
  PixelBuffer(const std::filesystem::path& folder, std::size_t nbytes);
  PixelBuffer(PixelBuffer&& other) noexcept;
  PixelBuffer(const PixelBuffer&) = delete;
  PixelBuffer& operator=(const PixelBuffer&) = delete;
  PixelBuffer& operator=(PixelBuffer&&) = delete;
  ~PixelBuffer();

  /// The file's bare name, as MappedFrame takes it.
  std::string name() const { return path_.filename().u8string(); }
  std::byte* bytes() const { return bytes_; }

 private:
  std::filesystem::path path_;
  std::size_t nbytes_;
  std::byte* bytes_ = nullptr;
};

/// Copies a float image of the server's out, rows from the top down, and deletes its buffer.
/// Throws Error (malformed): there is no such buffer, it is shorter than the frame says, or has
/// other channels.
std::vector<float> take_floats(const std::filesystem::path& folder, const MappedFrame& frame,
                               std::int64_t channels);

}  // namespace gvm::bridge
