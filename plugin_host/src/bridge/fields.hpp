// The wire's view of messages.hpp: each struct's fields in order, each enum's words, each rule.
#pragma once

#include <array>

#include "bridge/messages.hpp"

namespace gvm::bridge {

inline constexpr std::array<const char*, std::variant_size_v<Message>> kMessageWords{
    "matte",   "give_frames", "ping",        "status",   "cancel",       "stop",
    "release", "accepted",    "need_frames", "progress", "frame_ready",  "done",
    "failed",  "cancelled",   "pong",        "ok",       "server_status"};

template <class Enum>
inline constexpr std::array<const char*, 0> kWords{};
template <>
inline constexpr std::array kWords<EngineName> = kEngineWords;
template <>
inline constexpr std::array kWords<PixelType>{"uint8", "uint16", "half", "float"};
template <>
inline constexpr std::array kWords<Priority>{"interactive", "range", "batch"};
template <>
inline constexpr std::array kWords<Depth>{"half", "float"};
template <>
inline constexpr std::array kWords<Missing>{"fail", "hold", "black"};
template <>
inline constexpr std::array kWords<BadPixels>{"fail", "black"};
template <>
inline constexpr std::array kWords<PlateKeys>{"auto", "stat", "content"};
template <>
inline constexpr std::array kWords<PlanKind>{"seamless", "reference"};
template <>
inline constexpr std::array kWords<Noise>{"zeros", "gaussian"};
template <>
inline constexpr std::array kWords<OnOom>{"fail", "backoff"};

inline constexpr std::array kCodeWords{
    "bad_request",        "plate_missing",       "plate_unreadable", "plate_ambiguous",
    "plate_mismatch",     "plate_not_finite",    "range_outside",    "colourspace_unknown",
    "output_unwritable",  "output_in_use",       "output_not_ours",  "disk_full",
    "path_refused",       "engine_unavailable",  "engine_failed",    "out_of_memory",
    "unknown_job",        "version_mismatch",    "malformed",        "illegal_move",
    "server_running",     "server_not_running",  "server_start_failed", "server_lost",
    "server_busy",        "runtime_unsafe",      "cancelled",        "internal"};

/// The word of a member of a union of structs, under the key `kind`.
inline const char* kind_of(const FilePlate&) { return "file"; }
inline const char* kind_of(const PushedPlate&) { return "pushed"; }
inline const char* kind_of(const FileOutput&) { return "file"; }
inline const char* kind_of(const MappedOutput&) { return "mapped"; }

template <class V>
void fields(V& visit, MappedFrame& m) {
  visit("frame", m.frame), visit("key", m.key), visit("buffer", m.buffer);
  visit("offset", m.offset), visit("width", m.width), visit("height", m.height);
  visit("channels", m.channels), visit("pixel_type", m.pixel_type);
  visit.defaulted("x", m.x), visit.defaulted("y", m.y);
}

template <class V>
void fields(V& visit, FrameKey& m) {
  visit("frame", m.frame), visit("key", m.key);
}

template <class V>
void fields(V& visit, Shown& m) {
  visit("aspect", m.aspect), visit("ranks", m.ranks), visit.defaulted("search", m.search);
}

template <class V>
void fields(V& visit, FilePlate& m) {
  visit("path", m.path), visit.defaulted("first", m.first), visit.defaulted("last", m.last);
  visit.defaulted("layer", m.layer), visit.defaulted("colourspace", m.colourspace);
  visit.defaulted("missing", m.missing), visit.defaulted("bad_pixels", m.bad_pixels);
  visit.defaulted("keys", m.keys), visit.defaulted("cuts", m.cuts);
  visit.defaulted("shown", m.shown);
}

template <class V>
void fields(V& visit, PushedPlate& m) {
  visit("name", m.name), visit("first", m.first), visit("last", m.last);
  visit("width", m.width), visit("height", m.height), visit("frames", m.frames);
  visit.defaulted("pixel_aspect", m.pixel_aspect), visit.defaulted("colourspace", m.colourspace);
  visit.defaulted("bad_pixels", m.bad_pixels), visit.defaulted("cuts", m.cuts);
}

template <class V>
void fields(V& visit, FileOutput& m) {
  visit("path", m.path), visit.defaulted("depth", m.depth);
  visit.defaulted("overwrite", m.overwrite), visit.defaulted("same_maker", m.same_maker);
}

template <class V>
void fields(V& visit, MappedOutput& m) {
  visit.defaulted("pixel_type", m.pixel_type);
}

template <class V>
void fields(V& visit, WindowSettings& m) {
  visit.defaulted("frames_per_window", m.frames_per_window);
  visit.defaulted("overlap", m.overlap), visit.defaulted("decode_chunk", m.decode_chunk);
  visit.defaulted("steps", m.steps), visit.defaulted("size", m.size);
  visit.defaulted("max_resolution", m.max_resolution), visit.defaulted("plan", m.plan);
}

template <class V>
void fields(V& visit, ModelSettings& m) {
  visit.defaulted("weights", m.weights), visit.defaulted("unet", m.unet);
  visit.defaulted("lora", m.lora), visit.defaulted("noise", m.noise);
  visit.defaulted("seed", m.seed), visit.defaulted("on_oom", m.on_oom);
  visit.defaulted("fit_memory", m.fit_memory);
}

template <class V>
void fields(V& visit, MatteKnobs& m) {
  for (const RealKnob& knob : kRealKnobs) visit.defaulted(knob.name, m.*knob.value);
  for (const SwitchKnob& knob : kSwitchKnobs) visit.defaulted(knob.name, m.*knob.value);
}

template <class V>
void fields(V& visit, JobContext& m) {
  visit.defaulted("ocio", m.ocio), visit.defaulted("ocio_variables", m.ocio_variables);
  visit.defaulted("ocio_digest", m.ocio_digest);
  visit.defaulted("weights", m.weights), visit.defaulted("umask", m.umask);
  visit.defaulted("device", m.device), visit.defaulted("precision", m.precision);
  visit.defaulted("compilation", m.compilation);
}

template <class V>
void fields(V& visit, StageSeconds& m) {
  visit("stage", m.stage), visit("seconds", m.seconds);
}

template <class V>
void fields(V& visit, JobSummary& m) {
  visit("job", m.job), visit("state", m.state), visit("plate", m.plate);
  visit("output", m.output), visit("engine", m.engine), visit("priority", m.priority);
  visit("frames_done", m.frames_done), visit("frames_total", m.frames_total);
  visit("seconds", m.seconds), visit.defaulted("note", m.note);
  visit.defaulted("ended_seconds", m.ended_seconds);
}

template <class V>
void fields(V& visit, Matte& m) {
  visit("job", m.job), visit("plate", m.plate), visit("output", m.output);
  visit.defaulted("frames", m.frames), visit.defaulted("max_frames", m.max_frames);
  visit.defaulted("window", m.window), visit.defaulted("knobs", m.knobs),
      visit.defaulted("model", m.model);
  visit.defaulted("engine", m.engine), visit.defaulted("priority", m.priority);
  visit.defaulted("playhead", m.playhead), visit.defaulted("context", m.context);
}

template <class V>
void fields(V& visit, GiveFrames& m) {
  visit("job", m.job), visit("frames", m.frames);
}

template <class V>
void fields(V&, Ping&) {}
template <class V>
void fields(V&, Status&) {}
template <class V>
void fields(V&, Stop&) {}
template <class V>
void fields(V&, Release&) {}

template <class V>
void fields(V& visit, Cancel& m) {
  visit("job", m.job);
}

template <class V>
void fields(V& visit, Accepted& m) {
  visit("job", m.job), visit("engine", m.engine), visit("revision", m.revision);
  visit("preview", m.preview), visit("first", m.first), visit("last", m.last);
  visit("frames_total", m.frames_total), visit("frames_kept", m.frames_kept);
  visit("windows_total", m.windows_total), visit("windows_cached", m.windows_cached);
  visit("colourspace", m.colourspace), visit("working_width", m.working_width);
  visit("working_height", m.working_height), visit.defaulted("notes", m.notes);
  visit.defaulted("ocio_digest", m.ocio_digest), visit.defaulted("device", m.device);
  visit.defaulted("precision", m.precision), visit.defaulted("compilation", m.compilation);
}

template <class V>
void fields(V& visit, NeedFrames& m) {
  visit("job", m.job), visit("frames", m.frames);
}

template <class V>
void fields(V& visit, Progress& m) {
  visit("job", m.job), visit("frames_done", m.frames_done);
  visit("frames_total", m.frames_total), visit("windows_done", m.windows_done);
  visit("windows_total", m.windows_total), visit.defaulted("note", m.note);
}

template <class V>
void fields(V& visit, FrameReady& m) {
  visit("job", m.job), visit("frame", m.frame), visit("cached", m.cached);
  visit.defaulted("path", m.path), visit.defaulted("mapped", m.mapped);
}

template <class V>
void fields(V& visit, Done& m) {
  visit("job", m.job), visit("windows_run", m.windows_run);
  visit("windows_cached", m.windows_cached), visit("frames_written", m.frames_written);
  visit("frames_kept", m.frames_kept), visit("seconds", m.seconds);
  visit.defaulted("stages", m.stages), visit.defaulted("notes", m.notes);
}

template <class V>
void fields(V& visit, Failed& m) {
  visit("code", m.code), visit("message", m.message), visit.defaulted("remedy", m.remedy);
  visit.defaulted("job", m.job), visit.defaulted("frame", m.frame);
  visit.defaulted("path", m.path);
}

template <class V>
void fields(V& visit, Cancelled& m) {
  visit("job", m.job), visit("frames_done", m.frames_done), visit.defaulted("reason", m.reason);
}

template <class V>
void fields(V& visit, Pong& m) {
  visit("pid", m.pid), visit("version", m.version);
}

template <class V>
void fields(V& visit, Ok& m) {
  visit.defaulted("note", m.note);
}

template <class V>
void fields(V& visit, ServerStatus& m) {
  visit("pid", m.pid), visit("version", m.version), visit("seconds_up", m.seconds_up);
  visit("device", m.device), visit("engine_loaded", m.engine_loaded);
  visit("memory_bytes", m.memory_bytes), visit("device_used_bytes", m.device_used_bytes);
  visit("device_free_bytes", m.device_free_bytes), visit("cache_path", m.cache_path);
  visit("cache_bytes", m.cache_bytes), visit.defaulted("jobs", m.jobs);
  visit.defaulted("cache_limit_bytes", m.cache_limit_bytes);
}

// Rules of values; each throws Error (bad_request).
template <class T>
void check(const T&) {}  // most values have none
void check(const MappedFrame& value);
void check(const Shown& value);
void check(const FilePlate& value);
void check(const PushedPlate& value);
void check(const FileOutput& value);
void check(const MappedOutput& value);
void check(const WindowSettings& value);
void check(const ModelSettings& value);
void check(const MatteKnobs& value);
void check(const JobContext& value);
void check(const Matte& value);
void check(const GiveFrames& value);
void check(const Cancel& value);
void check(const NeedFrames& value);
void check(const ServerStatus& value);

}  // namespace gvm::bridge
