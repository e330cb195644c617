// What a render asks of the desk, as plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "bridge/hash.hpp"
#include "bridge/messages.hpp"

namespace gvm::bridge {

/// How an alpha is wanted.
struct Wish {
  WindowSettings window;
  MatteKnobs knobs;
  EngineName engine = EngineName::kAuto;
  std::string colourspace = "auto";
  BadPixels bad_pixels = BadPixels::kFail;
  JobContext context;
  Priority priority = Priority::kInteractive;
  bool may_start_server = true;
  double timeout_seconds = 600.0;
};

/// A clip whose pixels the host holds.
struct HostClip {
  std::string name;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t width = 1;
  std::int64_t height = 1;
  double pixel_aspect = 1.0;
  PixelType pixel_type = PixelType::kFloat;  // of the three colours that are pushed
};

/// A part of a clip's region: its top left pixel from that of the region, and its size.
struct Part {
  std::int64_t x = 0, y = 0, width = 1, height = 1;
};

/// Lends the frames of a HostClip; called only on the thread that asked the desk.
class PlateReader {
 public:
  virtual ~PlateReader() = default;

  /// What tells this frame's pixels from others.
  virtual Hash key(std::int64_t frame) = 0;

  /// The part of the clip's region where the frame has pixels; at least one pixel, black if need be.
  virtual Part part(std::int64_t frame) = 0;

  /// Writes the colours of the frame's part, rows from the top down, width * height * 3 values.
  virtual void copy(std::int64_t frame, std::byte* to) = 0;
};

/// A frame of a plate on disk, by the file's own numbers; the server reads it itself.
struct FileFrame {
  std::string path;
  std::int64_t frame = 0;
  std::optional<Shown> shown = std::nullopt;  // what the host shows there
};

}  // namespace gvm::bridge
