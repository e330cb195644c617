// The words of the protocol, as in gvm_client/protocol/messages.py: plain structs, and for each
// the list of its fields in the order of the wire.
//
// `fields(visit, message)` calls `visit(name, member)` for a field that must be there and
// `visit.defaulted(name, member)` for one that may be left out. `check` throws where a value is
// out of its range; the wire calls it on everything that it writes and reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bridge/engines.hpp"
#include "bridge/settings.hpp"
#include "bridge/tables.hpp"

namespace gvm::bridge {

enum class PixelType { kUint8, kUint16, kHalf, kFloat };
enum class Priority { kInteractive, kRange, kBatch };
enum class Depth { kHalf, kFloat };
enum class Missing { kFail, kHold, kBlack };
enum class BadPixels { kFail, kBlack };
enum class PlateKeys { kAuto, kStat, kContent };

/// Bytes of one channel of a pixel.
std::int64_t bytes_of(PixelType type);

/// An error code; the words are the protocol's.
struct CodeWord {
  std::string word;
};

// ---- values inside messages
// ----------------------------------------------------------------------

/// One image in a memory-mapped file: rows from the top down, interleaved channels, no padding.
struct MappedFrame {
  std::int64_t frame = 0;
  std::string key;
  std::string buffer;
  std::int64_t offset = 0;
  std::int64_t width = 1;
  std::int64_t height = 1;
  std::int64_t channels = 1;
  PixelType pixel_type = PixelType::kFloat;
  std::int64_t x = 0, y = 0;  // from the top left of the clip's region, downwards

  std::int64_t nbytes() const { return width * height * channels * bytes_of(pixel_type); }
};

struct FrameKey {
  std::int64_t frame = 0;
  std::string key;
};

/// What a host shows at the one frame that is asked for; see docs/protocol.md.
struct Shown {
  double aspect = 1.0;
  std::vector<std::int64_t> ranks;
  bool search = false;
};

struct FilePlate {
  std::string path;
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> last;
  std::string layer;
  std::string colourspace = "auto";
  Missing missing = Missing::kFail;
  BadPixels bad_pixels = BadPixels::kFail;
  PlateKeys keys = PlateKeys::kAuto;
  std::vector<std::int64_t> cuts;
  std::optional<Shown> shown;
};

struct PushedPlate {
  std::string name;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t width = 1;
  std::int64_t height = 1;
  std::vector<FrameKey> frames;
  double pixel_aspect = 1.0;
  std::string colourspace = "auto";
  BadPixels bad_pixels = BadPixels::kFail;
  std::vector<std::int64_t> cuts;
};

struct FileOutput {
  std::string path;
  Depth depth = Depth::kHalf;
  bool overwrite = false;
  bool same_maker = false;
};

struct MappedOutput {
  PixelType pixel_type = PixelType::kFloat;
};

/// What a job means besides its settings, from this host's environment; never the server's own.
struct JobContext {
  std::string ocio;
  std::vector<std::string> ocio_variables;  // NAME=value
  std::string ocio_digest, weights;
  std::int64_t umask = 022;
  std::string device, precision, compilation;
};

struct StageSeconds {
  std::string stage;
  double seconds = 0.0;
};

struct JobSummary {
  std::string job, state, plate, output, engine;
  Priority priority = Priority::kRange;
  std::int64_t frames_done = 0;
  std::int64_t frames_total = 0;
  double seconds = 0.0;
  std::string note;
  double ended_seconds = 0.0;
};

// ---- client to server
// ----------------------------------------------------------------------------

struct Matte {
  std::string job;
  std::variant<FilePlate, PushedPlate> plate;
  std::variant<FileOutput, MappedOutput> output;
  std::string frames;
  std::int64_t max_frames = 0;
  WindowSettings window;
  MatteKnobs knobs;
  ModelSettings model;
  EngineName engine = EngineName::kAuto;
  Priority priority = Priority::kRange;
  std::optional<std::int64_t> playhead;
  JobContext context;
};

struct GiveFrames {
  std::string job;
  std::vector<MappedFrame> frames;
};

struct Ping {};
struct Status {};

struct Cancel {
  std::string job;
};

struct Stop {};
struct Release {};

// ---- server to client
// ----------------------------------------------------------------------------

struct Accepted {
  std::string job;
  EngineName engine = EngineName::kAuto;
  std::string revision;
  bool preview = false;
  std::int64_t first = 0, last = 0;
  std::int64_t frames_total = 0, frames_kept = 0;
  std::int64_t windows_total = 0, windows_cached = 0;
  std::string colourspace;
  std::int64_t working_width = 0, working_height = 0;
  std::vector<std::string> notes;
  std::string ocio_digest, device, precision, compilation;
};

struct NeedFrames {
  std::string job;
  std::vector<std::int64_t> frames;
};

struct Progress {
  std::string job;
  std::int64_t frames_done = 0, frames_total = 0;
  std::int64_t windows_done = 0, windows_total = 0;
  std::string note;
};

struct FrameReady {
  std::string job;
  std::int64_t frame = 0;
  bool cached = false;
  std::string path;
  std::optional<MappedFrame> mapped;
};

struct Done {
  std::string job;
  std::int64_t windows_run = 0, windows_cached = 0;
  std::int64_t frames_written = 0, frames_kept = 0;
  double seconds = 0.0;
  std::vector<StageSeconds> stages;
  std::vector<std::string> notes;
};

struct Failed {
  CodeWord code;
  std::string message;
  std::string remedy;
  std::string job;
  std::optional<std::int64_t> frame;
  std::string path;
};

struct Cancelled {
  std::string job;
  std::int64_t frames_done = 0;
  std::string reason;
};

struct Pong {
  std::int64_t pid = 0;
  std::string version;
};

struct Ok {
  std::string note;
};

struct ServerStatus {
  std::int64_t pid = 0;
  std::string version;
  double seconds_up = 0.0;
  std::string device, engine_loaded;
  std::int64_t memory_bytes = 0, device_used_bytes = 0, device_free_bytes = 0;
  std::string cache_path;
  std::int64_t cache_bytes = 0;
  std::vector<JobSummary> jobs;
  std::int64_t cache_limit_bytes = 0;
};

/// Every message, in the order of `kMessageWords`.
using Message =
    std::variant<Matte, GiveFrames, Ping, Status, Cancel, Stop, Release, Accepted, NeedFrames,
                 Progress, FrameReady, Done, Failed, Cancelled, Pong, Ok, ServerStatus>;

/// A message as it came, with the name of the request that it makes or answers.
struct Envelope {
  std::string request;
  Message message;
};

}  // namespace gvm::bridge
