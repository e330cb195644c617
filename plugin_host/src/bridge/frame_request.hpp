// What a render asks the job tracker for, as plain values, and how the tracker reads its plate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/hash.hpp"
#include "bridge/messages.hpp"

namespace gvm::bridge {

/// How a frame is matted.
struct MatteOptions {
  WindowSettings window;
  MatteKnobs knobs;
  EngineName engine = EngineName::kAuto;
  std::string colourspace = "auto";
  BadPixels bad_pixels = BadPixels::kFail;
  std::vector<Region> regions;  // of the clip's one shot; none is the whole picture
  double roi_scale = 1.0;
  bool foreground = false;  // the subject's straight colours too; of a HostClip only
  Despill despill = Despill::kNone;  // of these
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
  PixelType pixel_type = PixelType::kFloat;  // of the three colours that are sent
};

/// A part of a clip's region: its top left pixel from that of the region, and its size.
struct FrameRegion {
  std::int64_t x = 0, y = 0, width = 1, height = 1;
};

/// Reads the frames of a HostClip; called only on the thread that called the job tracker.
class PlateReader {
 public:
  virtual ~PlateReader() = default;

  /// A hash of the frame's pixels and of where they lie.
  virtual Hash key(std::int64_t frame) = 0;

  /// The part of the clip's region where the frame has pixels; at least one pixel, black if need
  /// be.
  virtual FrameRegion region(std::int64_t frame) = 0;

  /// Writes the colours of the frame's region, rows from the top down, width * height * 3 values.
  virtual void copy(std::int64_t frame, std::byte* to) = 0;
};

/// A frame of a plate on disk, by the file's own numbers; the server reads it itself.
struct FileFrame {
  std::string path;
  std::int64_t frame = 0;
  std::optional<Shown> shown = std::nullopt;  // what the host shows there
};

}  // namespace gvm::bridge
