// A job's pixels on their way: plate frames to the server, alphas back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "bridge/alpha_cache.hpp"
#include "bridge/cancel_token.hpp"
#include "bridge/folders.hpp"
#include "bridge/frame_request.hpp"
#include "bridge/pixels.hpp"
#include "bridge/session.hpp"

namespace gvm::bridge {

/// Sends the plate frames that a job needs; they stay mapped until it has ended.
class PlateSender {
 public:
  PlateSender(const HostClip& clip, PlateReader& reader, const CancelToken& token)
      : clip_(clip), reader_(reader), token_(token), folder_(pixels_dir()) {}

  /// Frees what an earlier server was sent: another one has accepted the job.
  void restart() { buffers_.clear(); }

  /// Sends the frames one by one, so that the server reads them meanwhile.
  /// Throws Error: disk_full, output_unwritable; Aborted; what the reader throws.
  void send(const NeedFrames& need, const SendFrames& send_frames);

 private:
  MappedFrame map(std::int64_t frame);

  const HostClip& clip_;
  PlateReader& reader_;
  const CancelToken& token_;
  std::filesystem::path folder_;
  std::vector<PixelBuffer> buffers_;
};

/// Takes a job's alphas out of the server's buffers.
class AlphaReceiver {
 public:
  /// Of a plate on disk: alphas have the size that the server gives them.
  explicit AlphaReceiver(const Hash& clip) : clip_(clip) {}

  /// Of a host's clip: an alpha of a part of its region is laid into one of the whole region.
  AlphaReceiver(const Hash& clip, std::int64_t width, std::int64_t height)
      : clip_(clip), width_(width), height_(height) {}

  void accepted(const Accepted& message) { preview_ = message.preview; }

  /// Of a message with pixels. Throws Error (malformed): the buffer is not what the frame says, or lies outside the region.
  AlphaPtr receive(const FrameReady& message) const;

 private:
  void lay_on_region(const MappedFrame& image, Alpha& alpha) const;

  Hash clip_;
  std::int64_t width_ = 0, height_ = 0;  // of the region; 0 of a plate on disk
  std::filesystem::path folder_ = pixels_dir();
  bool preview_ = false;
};

}  // namespace gvm::bridge
