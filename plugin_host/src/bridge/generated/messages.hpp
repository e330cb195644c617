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

/// Alphas as EXR files.
struct FileOutput {
  std::string path{};
  Depth depth = Depth::kHalf;
  bool overwrite = false;
  bool same_maker = false;
};

/// The pixel type of a mapped buffer.
enum class PixelType { kUint8, kUint16, kHalf, kFloat };
template <>
inline constexpr std::array kWords<PixelType>{"uint8", "uint16", "half", "float"};

/// Alphas as float pixels in memory-mapped files; the client deletes each after reading.
struct MappedOutput {
  PixelType pixel_type = PixelType::kFloat;
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

// The fields in the order of the wire: `visit(name, value)` for one that must be there,
// `visit.defaulted(name, value)` for one that may be left out.

template <class Visitor>
void fields(Visitor& visit, Shown& value) {
  visit("aspect", value.aspect);
  visit("ranks", value.ranks);
  visit.defaulted("search", value.search);
}

template <class Visitor>
void fields(Visitor& visit, FilePlate& value) {
  visit("path", value.path);
  visit.defaulted("first", value.first);
  visit.defaulted("last", value.last);
  visit.defaulted("layer", value.layer);
  visit.defaulted("colourspace", value.colourspace);
  visit.defaulted("missing", value.missing);
  visit.defaulted("bad_pixels", value.bad_pixels);
  visit.defaulted("keys", value.keys);
  visit.defaulted("cuts", value.cuts);
  visit.defaulted("shown", value.shown);
}

template <class Visitor>
void fields(Visitor& visit, FrameKey& value) {
  visit("frame", value.frame);
  visit("key", value.key);
}

template <class Visitor>
void fields(Visitor& visit, PushedPlate& value) {
  visit("name", value.name);
  visit("first", value.first);
  visit("last", value.last);
  visit("width", value.width);
  visit("height", value.height);
  visit("frames", value.frames);
  visit.defaulted("pixel_aspect", value.pixel_aspect);
  visit.defaulted("colourspace", value.colourspace);
  visit.defaulted("bad_pixels", value.bad_pixels);
  visit.defaulted("cuts", value.cuts);
}

template <class Visitor>
void fields(Visitor& visit, FileOutput& value) {
  visit("path", value.path);
  visit.defaulted("depth", value.depth);
  visit.defaulted("overwrite", value.overwrite);
  visit.defaulted("same_maker", value.same_maker);
}

template <class Visitor>
void fields(Visitor& visit, MappedOutput& value) {
  visit.defaulted("pixel_type", value.pixel_type);
}

template <class Visitor>
void fields(Visitor& visit, WindowSettings& value) {
  visit.defaulted("frames_per_window", value.frames_per_window);
  visit.defaulted("overlap", value.overlap);
  visit.defaulted("decode_chunk", value.decode_chunk);
  visit.defaulted("steps", value.steps);
  visit.defaulted("size", value.size);
  visit.defaulted("max_resolution", value.max_resolution);
  visit.defaulted("plan", value.plan);
}

template <class Visitor>
void fields(Visitor& visit, MatteKnobs& value) {
  visit.defaulted("black", value.black);
  visit.defaulted("white", value.white);
  visit.defaulted("gamma", value.gamma);
  visit.defaulted("grow", value.grow);
  visit.defaulted("blur", value.blur);
  visit.defaulted("invert", value.invert);
  visit.defaulted("refine", value.refine);
  visit.defaulted("exposure", value.exposure);
  visit.defaulted("highlights", value.highlights);
}

template <class Visitor>
void fields(Visitor& visit, ModelSettings& value) {
  visit.defaulted("weights", value.weights);
  visit.defaulted("unet", value.unet);
  visit.defaulted("lora", value.lora);
  visit.defaulted("noise", value.noise);
  visit.defaulted("seed", value.seed);
  visit.defaulted("on_oom", value.on_oom);
  visit.defaulted("fit_memory", value.fit_memory);
}

template <class Visitor>
void fields(Visitor& visit, JobContext& value) {
  visit.defaulted("ocio", value.ocio);
  visit.defaulted("ocio_variables", value.ocio_variables);
  visit.defaulted("ocio_digest", value.ocio_digest);
  visit.defaulted("weights", value.weights);
  visit.defaulted("umask", value.umask);
  visit.defaulted("device", value.device);
  visit.defaulted("precision", value.precision);
  visit.defaulted("compilation", value.compilation);
}

template <class Visitor>
void fields(Visitor& visit, Guides& value) {
  visit.defaulted("garbage", value.garbage);
  visit.defaulted("holdout", value.holdout);
  visit.defaulted("guide_feather", value.guide_feather);
}

template <class Visitor>
void fields(Visitor& visit, Region& value) {
  visit("x", value.x);
  visit("y", value.y);
  visit("width", value.width);
  visit("height", value.height);
  visit.defaulted("frame", value.frame);
}

template <class Visitor>
void fields(Visitor& visit, Matte& value) {
  visit("job", value.job);
  visit("plate", value.plate);
  visit("output", value.output);
  visit.defaulted("frames", value.frames);
  visit.defaulted("max_frames", value.max_frames);
  visit.defaulted("window", value.window);
  visit.defaulted("knobs", value.knobs);
  visit.defaulted("model", value.model);
  visit.defaulted("engine", value.engine);
  visit.defaulted("priority", value.priority);
  visit.defaulted("playhead", value.playhead);
  visit.defaulted("context", value.context);
  visit.defaulted("guides", value.guides);
  visit.defaulted("regions", value.regions);
  visit.defaulted("roi_scale", value.roi_scale);
}

template <class Visitor>
void fields(Visitor& visit, MappedFrame& value) {
  visit("frame", value.frame);
  visit("key", value.key);
  visit("buffer", value.buffer);
  visit("offset", value.offset);
  visit("width", value.width);
  visit("height", value.height);
  visit("channels", value.channels);
  visit("pixel_type", value.pixel_type);
  visit.defaulted("x", value.x);
  visit.defaulted("y", value.y);
}

template <class Visitor>
void fields(Visitor& visit, GiveFrames& value) {
  visit("job", value.job);
  visit("frames", value.frames);
}

template <class Visitor>
void fields(Visitor&, Ping&) {
}

template <class Visitor>
void fields(Visitor&, Status&) {
}

template <class Visitor>
void fields(Visitor& visit, Cancel& value) {
  visit("job", value.job);
}

template <class Visitor>
void fields(Visitor&, Stop&) {
}

template <class Visitor>
void fields(Visitor&, Release&) {
}

template <class Visitor>
void fields(Visitor& visit, Accepted& value) {
  visit("job", value.job);
  visit("engine", value.engine);
  visit("revision", value.revision);
  visit("preview", value.preview);
  visit("first", value.first);
  visit("last", value.last);
  visit("frames_total", value.frames_total);
  visit("frames_kept", value.frames_kept);
  visit("windows_total", value.windows_total);
  visit("windows_cached", value.windows_cached);
  visit("colourspace", value.colourspace);
  visit("working_width", value.working_width);
  visit("working_height", value.working_height);
  visit.defaulted("notes", value.notes);
  visit.defaulted("ocio_digest", value.ocio_digest);
  visit.defaulted("device", value.device);
  visit.defaulted("precision", value.precision);
  visit.defaulted("compilation", value.compilation);
}

template <class Visitor>
void fields(Visitor& visit, NeedFrames& value) {
  visit("job", value.job);
  visit("frames", value.frames);
}

template <class Visitor>
void fields(Visitor& visit, Progress& value) {
  visit("job", value.job);
  visit("frames_done", value.frames_done);
  visit("frames_total", value.frames_total);
  visit("windows_done", value.windows_done);
  visit("windows_total", value.windows_total);
  visit.defaulted("note", value.note);
}

template <class Visitor>
void fields(Visitor& visit, FrameReady& value) {
  visit("job", value.job);
  visit("frame", value.frame);
  visit("cached", value.cached);
  visit.defaulted("path", value.path);
  visit.defaulted("mapped", value.mapped);
  visit.defaulted("roi_cut", value.roi_cut);
}

template <class Visitor>
void fields(Visitor& visit, StageSeconds& value) {
  visit("stage", value.stage);
  visit("seconds", value.seconds);
}

template <class Visitor>
void fields(Visitor& visit, Done& value) {
  visit("job", value.job);
  visit("windows_run", value.windows_run);
  visit("windows_cached", value.windows_cached);
  visit("frames_written", value.frames_written);
  visit("frames_kept", value.frames_kept);
  visit("seconds", value.seconds);
  visit.defaulted("stages", value.stages);
  visit.defaulted("notes", value.notes);
}

template <class Visitor>
void fields(Visitor& visit, Failed& value) {
  visit("code", value.code);
  visit("message", value.message);
  visit.defaulted("remedy", value.remedy);
  visit.defaulted("job", value.job);
  visit.defaulted("frame", value.frame);
  visit.defaulted("path", value.path);
}

template <class Visitor>
void fields(Visitor& visit, Cancelled& value) {
  visit("job", value.job);
  visit("frames_done", value.frames_done);
  visit.defaulted("reason", value.reason);
}

template <class Visitor>
void fields(Visitor& visit, Pong& value) {
  visit("pid", value.pid);
  visit("version", value.version);
}

template <class Visitor>
void fields(Visitor& visit, Ok& value) {
  visit.defaulted("note", value.note);
}

template <class Visitor>
void fields(Visitor& visit, JobSummary& value) {
  visit("job", value.job);
  visit("state", value.state);
  visit("plate", value.plate);
  visit("output", value.output);
  visit("engine", value.engine);
  visit("priority", value.priority);
  visit("frames_done", value.frames_done);
  visit("frames_total", value.frames_total);
  visit("seconds", value.seconds);
  visit.defaulted("note", value.note);
  visit.defaulted("ended_seconds", value.ended_seconds);
  visit.defaulted("garbage", value.garbage);
  visit.defaulted("holdout", value.holdout);
}

template <class Visitor>
void fields(Visitor& visit, ServerStatus& value) {
  visit("pid", value.pid);
  visit("version", value.version);
  visit("seconds_up", value.seconds_up);
  visit("device", value.device);
  visit("engine_loaded", value.engine_loaded);
  visit("memory_bytes", value.memory_bytes);
  visit("device_used_bytes", value.device_used_bytes);
  visit("device_free_bytes", value.device_free_bytes);
  visit("cache_path", value.cache_path);
  visit("cache_bytes", value.cache_bytes);
  visit.defaulted("jobs", value.jobs);
  visit.defaulted("cache_limit_bytes", value.cache_limit_bytes);
}

}  // namespace gvm::bridge
