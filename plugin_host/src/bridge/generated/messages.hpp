// Written by plugin_host/make_tables.py from nodes/gvm_client: do not edit.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "bridge/generated/settings.hpp"

namespace gvm::bridge {

/// An error code, as a message brings it.
struct CodeWord {
  std::string word;
};

/// What stands in for a plate frame that is not on disk.
enum class Missing { kFail, kHold, kBlack };
template <>
inline constexpr std::array kWords<Missing>{"fail", "hold", "black"};

/// What is done with NaN and infinite plate pixels.
enum class BadPixels { kFail, kBlack };
template <>
inline constexpr std::array kWords<BadPixels>{"fail", "black"};

/// What tells one version of a plate frame from another.
enum class PlateKeys { kAuto, kStat, kContent };
template <>
inline constexpr std::array kWords<PlateKeys>{"auto", "stat", "content"};

/// What a host shows at the one frame that is asked for, so that it gets no other one's alpha.
struct Shown {
  double aspect{};
  std::vector<std::int64_t> ranks{};
  bool search = false;
};

/// A plate on disk: a sequence pattern, a folder with one sequence, an image, or a movie.
struct FilePlate {
  std::string path{};
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

/// A frame that a host holds, and the hash of its pixels.
struct FrameKey {
  std::int64_t frame{};
  std::string key{};
};

/// A plate whose pixels a host holds: it names frames by key and gives those that are asked for.
struct PushedPlate {
  std::string name{};
  std::int64_t first{};
  std::int64_t last{};
  std::int64_t width{};
  std::int64_t height{};
  std::vector<FrameKey> frames{};
  double pixel_aspect = 1.0;
  std::string colourspace = "auto";
  BadPixels bad_pixels = BadPixels::kFail;
  std::vector<std::int64_t> cuts;
};

/// The pixel type of an EXR alpha.
enum class Depth { kHalf, kFloat };
template <>
inline constexpr std::array kWords<Depth>{"half", "float"};

/// Values that are proven.
struct FileContent {
  bool matte_raw = false;
  bool matte_edge = false;
  bool matte_core = false;
  bool foreground = false;
  bool premultiplied = false;
  std::string layers = "one";
  std::string compression = "zips";
  std::string despill = "none";
};

/// Alphas as EXR files.
struct FileOutput {
  std::string path{};
  Depth depth = Depth::kHalf;
  bool overwrite = false;
  bool same_maker = false;
  FileContent content;
};

/// The pixel type of a mapped buffer.
enum class PixelType { kUint8, kUint16, kHalf, kFloat };
template <>
inline constexpr std::array kWords<PixelType>{"uint8", "uint16", "half", "float"};

/// The colour of the screen whose light is taken off the foreground.
enum class Despill { kNone, kGreen, kBlue };
template <>
inline constexpr std::array kWords<Despill>{"none", "green", "blue"};

/// Alphas as float pixels in memory-mapped files; the client deletes each after reading.
struct MappedOutput {
  PixelType pixel_type = PixelType::kFloat;
  bool foreground = false;
  Despill despill = Despill::kNone;
};

/// The engines that a request may name.
enum class EngineName { kAuto, kGvm, kPreview, kTest };
template <>
inline constexpr std::array kWords<EngineName>{"auto", "gvm", "preview", "test"};
template <>
inline constexpr std::array kLabels<EngineName>{"Automatic", "GVM", "Preview", "Test Pattern"};

/// Who is served first: the order of the members is the order of service.
enum class Priority { kInteractive, kRange, kBatch };
template <>
inline constexpr std::array kWords<Priority>{"interactive", "range", "batch"};

/// What a job means besides its settings, from the asker's environment; never the server's own.
struct JobContext {
  std::string ocio;
  std::vector<std::string> ocio_variables;
  std::string ocio_digest;
  std::string weights;
  std::int64_t umask = 18;
  std::string device;
  std::string precision;
  std::string compilation;
  bool commercial_only = false;
};

/// The guides of a matte, frames by the plate's numbers; their alpha, else their first channel.
struct Guides {
  std::string garbage;
  std::string holdout;
  double guide_feather = 0.0;
};

/// A rectangle of the display window, and the frame from which it holds.
struct Region {
  std::int64_t x{};
  std::int64_t y{};
  std::int64_t width{};
  std::int64_t height{};
  std::optional<std::int64_t> frame;
};

/// Matte these frames. The client makes the job's name, so asking twice is harmless.
struct Matte {
  std::string job{};
  std::variant<FilePlate, PushedPlate> plate{};
  std::variant<FileOutput, MappedOutput> output{};
  std::string frames;
  std::int64_t max_frames = 0;
  WindowSettings window;
  MatteKnobs knobs;
  ModelSettings model;
  EngineName engine = EngineName::kAuto;
  Priority priority = Priority::kRange;
  std::optional<std::int64_t> playhead;
  JobContext context;
  Guides guides;
  std::vector<Region> regions;
  double roi_scale = 1.0;
};

/// One image in a memory-mapped file of the run-time folder's `pixels/` folder.
struct MappedFrame {
  std::int64_t frame{};
  std::string key{};
  std::string buffer{};
  std::int64_t offset{};
  std::int64_t width{};
  std::int64_t height{};
  std::int64_t channels{};
  PixelType pixel_type{};
  std::int64_t x = 0;
  std::int64_t y = 0;
};

/// The answer to `NeedFrames`: where the pixels lie.
struct GiveFrames {
  std::string job{};
  std::vector<MappedFrame> frames{};
};

/// Is somebody there? Answered by `Pong`.
struct Ping {};

/// What is the server doing? Answered by `ServerStatus`.
struct Status {};

/// End a job. Answered by `Ok` at once; its clients get `Cancelled` when it has ended.
struct Cancel {
  std::string job{};
};

/// End the server: running jobs are cancelled. Answered by `Ok`.
struct Stop {};

/// Give the device's memory back; the next window loads the model again. Answered by `Ok`.
struct Release {};

/// The job's input was looked at and is good; this is what will be done.
struct Accepted {
  std::string job{};
  EngineName engine{};
  std::string revision{};
  bool preview{};
  std::int64_t first{};
  std::int64_t last{};
  std::int64_t frames_total{};
  std::int64_t frames_kept{};
  std::int64_t windows_total{};
  std::int64_t windows_cached{};
  std::string colourspace{};
  std::int64_t working_width{};
  std::int64_t working_height{};
  std::vector<std::string> notes;
  std::string ocio_digest;
  std::string device;
  std::string precision;
  std::string compilation;
  std::string licence;
};

/// The server needs the pixels of these frames of a pushed plate.
struct NeedFrames {
  std::string job{};
  std::vector<std::int64_t> frames{};
};

/// How far a job is; also its heartbeat: at least one a second while the job lives.
struct Progress {
  std::string job{};
  std::int64_t frames_done{};
  std::int64_t frames_total{};
  std::int64_t windows_done{};
  std::int64_t windows_total{};
  std::string note;
};

/// One alpha is finished: a file's path, or a mapped buffer.
struct FrameReady {
  std::string job{};
  std::int64_t frame{};
  bool cached{};
  std::string path;
  std::optional<MappedFrame> mapped;
  std::string roi_cut;
  std::optional<MappedFrame> foreground;
};

/// How long one stage of the pipeline was busy in a job (wall seconds with any worker in it).
struct StageSeconds {
  std::string stage{};
  double seconds{};
};

/// Every frame that was asked for is there.
struct Done {
  std::string job{};
  std::int64_t windows_run{};
  std::int64_t windows_cached{};
  std::int64_t frames_written{};
  std::int64_t frames_kept{};
  double seconds{};
  std::vector<StageSeconds> stages;
  std::vector<std::string> notes;
};

/// The job, or the request, failed; what was finished before stays.
struct Failed {
  CodeWord code{};
  std::string message{};
  std::string remedy;
  std::string job;
  std::optional<std::int64_t> frame;
  std::string path;
};

/// The job was ended on request; what was finished before stays.
struct Cancelled {
  std::string job{};
  std::int64_t frames_done{};
  std::string reason;
};

/// The server is there.
struct Pong {
  std::int64_t pid{};
  std::string version{};
};

/// Done as asked.
struct Ok {
  std::string note;
};

/// One job as `status` shows it.
struct JobSummary {
  std::string job{};
  std::string state{};
  std::string plate{};
  std::string output{};
  std::string engine{};
  Priority priority{};
  std::int64_t frames_done{};
  std::int64_t frames_total{};
  double seconds{};
  std::string note;
  double ended_seconds = 0.0;
  std::string garbage;
  std::string holdout;
  std::string licence;
};

/// What the server is doing.
struct ServerStatus {
  std::int64_t pid{};
  std::string version{};
  double seconds_up{};
  std::string device{};
  std::string engine_loaded{};
  std::int64_t memory_bytes{};
  std::int64_t device_used_bytes{};
  std::int64_t device_free_bytes{};
  std::string cache_path{};
  std::int64_t cache_bytes{};
  std::vector<JobSummary> jobs;
  std::int64_t cache_limit_bytes = 0;
  std::string licence;
};

/// Every message, in the order of its words.
using Message = std::variant<Matte, GiveFrames, Ping, Status, Cancel, Stop, Release, Accepted, NeedFrames, Progress, FrameReady, Done, Failed, Cancelled, Pong, Ok, ServerStatus>;

inline constexpr std::array<const char*, std::variant_size_v<Message>> kMessageWords{
    "matte",
    "give_frames",
    "ping",
    "status",
    "cancel",
    "stop",
    "release",
    "accepted",
    "need_frames",
    "progress",
    "frame_ready",
    "done",
    "failed",
    "cancelled",
    "pong",
    "ok",
    "server_status",
};

/// The tag of a member of a union, under the key `kind`.
inline const char* kind_of(const FilePlate&) { return "file"; }
inline const char* kind_of(const PushedPlate&) { return "pushed"; }
inline const char* kind_of(const FileOutput&) { return "file"; }
inline const char* kind_of(const MappedOutput&) { return "mapped"; }

}  // namespace gvm::bridge
