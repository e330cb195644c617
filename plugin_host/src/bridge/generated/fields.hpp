// Written by plugin_host/make_tables.py from nodes/gvm_client: do not edit.
#pragma once


#include "bridge/generated/messages.hpp"

namespace gvm::bridge {

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
void fields(Visitor& visit, FileContent& value) {
  visit.defaulted("matte_raw", value.matte_raw);
  visit.defaulted("matte_edge", value.matte_edge);
  visit.defaulted("matte_core", value.matte_core);
  visit.defaulted("foreground", value.foreground);
  visit.defaulted("premultiplied", value.premultiplied);
  visit.defaulted("layers", value.layers);
  visit.defaulted("compression", value.compression);
  visit.defaulted("despill", value.despill);
}

template <class Visitor>
void fields(Visitor& visit, FileOutput& value) {
  visit("path", value.path);
  visit.defaulted("depth", value.depth);
  visit.defaulted("overwrite", value.overwrite);
  visit.defaulted("same_maker", value.same_maker);
  visit.defaulted("content", value.content);
}

template <class Visitor>
void fields(Visitor& visit, MappedOutput& value) {
  visit.defaulted("pixel_type", value.pixel_type);
  visit.defaulted("foreground", value.foreground);
  visit.defaulted("despill", value.despill);
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
  visit.defaulted("commercial_only", value.commercial_only);
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
  visit.defaulted("licence", value.licence);
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
  visit.defaulted("foreground", value.foreground);
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
  visit.defaulted("licence", value.licence);
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
  visit.defaulted("licence", value.licence);
}

}  // namespace gvm::bridge
