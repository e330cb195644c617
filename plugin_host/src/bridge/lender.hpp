// The plate frames that a job was given; they lie mapped until the job has ended.
#pragma once

#include <filesystem>
#include <vector>

#include "bridge/conversation.hpp"
#include "bridge/pixels.hpp"
#include "bridge/runtime.hpp"
#include "bridge/watch.hpp"
#include "bridge/wish.hpp"

namespace gvm::bridge {

class Lender {
 public:
  Lender(const HostClip& clip, PlateReader& reader, const Watch& watch)
      : clip_(clip), reader_(reader), watch_(watch), folder_(pixels_dir()) {}

  /// A server has the job: none before it reads what it was given any more.
  void begin() { buffers_.clear(); }

  /// Gives the frames one by one, so that the server reads them meanwhile.
  /// Throws Error: disk_full, output_unwritable; Aborted; what the reader throws.
  void lend(const NeedFrames& need, const Give& give) {
    for (const std::int64_t frame : need.frames) {
      watch_.check();
      give(GiveFrames{need.job, {mapped(frame)}});
    }
  }

 private:
  MappedFrame mapped(std::int64_t frame) {
    MappedFrame image;
    image.frame = frame;
    image.key = reader_.key(frame).hex();
    const Part part = reader_.part(frame);
    image.x = part.x;
    image.y = part.y;
    image.width = part.width;
    image.height = part.height;
    image.channels = 3;
    image.pixel_type = clip_.pixel_type;
    buffers_.emplace_back(folder_, static_cast<std::size_t>(image.nbytes()));
    image.buffer = buffers_.back().name();
    reader_.copy(frame, buffers_.back().bytes());
    return image;
  }

  const HostClip& clip_;
  PlateReader& reader_;
  const Watch& watch_;
  std::filesystem::path folder_;
  std::vector<PixelBuffer> buffers_;
};

}  // namespace gvm::bridge
