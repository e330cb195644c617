#include "bridge/job_tracker.hpp"

#include <condition_variable>
#include <exception>
#include <vector>

#include "bridge/pixel_transfer.hpp"
#include "bridge/platform.hpp"
#include "bridge/session.hpp"

namespace gvm::bridge {
namespace {

// Hashes; past it they are forgotten, and a window is asked for with all its frames again.
constexpr std::size_t kMaxInferred = 4096;

// Of the alphas that a process keeps: about 120 frames of 1080p.
constexpr std::size_t kCacheBytes = std::size_t{1} << 30;

struct ProcessTracker {
  std::mutex mutex;
  std::shared_ptr<JobTracker> tracker;
};

ProcessTracker& process_tracker() {
  static ProcessTracker one;
  return one;
}

Matte request_for(const MatteOptions& options, const FrameHashes& wanted) {
  Matte request;
  request.job = random_hex(16);
  MappedOutput output;
  output.foreground = options.foreground;
  output.despill = options.despill;
  request.output = output;
  for (const auto& [frame, key] : wanted) {
    request.frames += (request.frames.empty() ? "" : ",") + std::to_string(frame);
  }
  request.window = options.window;
  request.knobs = options.knobs;
  request.engine = options.engine;
  request.priority = options.priority;
  request.context = options.context;
  request.regions = options.regions;
  request.roi_scale = options.roi_scale;
  return request;
}

PushedPlate pushed_plate(const MatteOptions& options, const HostClip& clip,
                         const FrameHashes& frames) {
  PushedPlate plate;
  plate.name = clip.name;
  plate.first = clip.first;
  plate.last = clip.last;
  plate.width = clip.width;
  plate.height = clip.height;
  plate.pixel_aspect = clip.pixel_aspect;
  plate.colourspace = options.colourspace;
  plate.bad_pixels = options.bad_pixels;
  for (const auto& [frame, key] : frames) plate.frames.push_back({frame, key.hex()});
  return plate;
}

}  // namespace

/// A running job; renders that wait for it learn how it ended.
struct JobTracker::Job {
  FrameHashes wanted;
  std::vector<Hash> windows;
  std::mutex mutex;
  std::condition_variable ended;
  bool over = false;
  std::exception_ptr failure;

  void wait(const CancelToken& token) {
    std::unique_lock lock(mutex);
    while (!over) {
      ended.wait_for(lock, std::chrono::milliseconds(kPollMs));
      lock.unlock();
      token.check();
      lock.lock();
    }
    if (failure) std::rethrow_exception(failure);
  }
};

/// What a render finds: its alpha, or the job that makes it, which it may have to run itself.
struct JobTracker::Lookup {
  AlphaPtr finished;
  std::shared_ptr<Job> job;
  bool is_new = false;
};

AlphaPtr JobTracker::alpha(const MatteOptions& options, const HostClip& clip, std::int64_t frame,
                           PlateReader& reader, const CancelToken& host) {
  const CancelToken token = host.within(options.timeout_seconds);
  const AlphaKeys keys = alpha_keys(options, clip, frame, reader, token);
  while (true) {
    const Lookup found = find_or_open(keys, options.foreground);
    if (found.finished) return found.finished;
    if (found.is_new) return run(found.job, options, clip, keys, reader, token);
    found.job->wait(token);
  }
}

AlphaPtr JobTracker::alpha(const MatteOptions& options, const FileFrame& plate,
                           const CancelToken& host) {
  const CancelToken token = host.within(options.timeout_seconds);
  const std::optional<Hash> key = key_of(options, plate);
  if (AlphaPtr finished = key ? cache_.find(*key) : nullptr) return finished;
  FilePlate file;
  file.path = plate.path;
  file.colourspace = options.colourspace;
  file.bad_pixels = options.bad_pixels;
  file.shown = plate.shown;
  const std::int64_t frame = plate.frame + search_offset(plate);
  Matte request = request_for(options, {{frame, Hash{}}});
  request.plate = file;
  request.playhead = frame;
  AlphaReceiver receiver(identity_of(plate));
  AlphaPtr alpha;
  JobHandler handler;
  handler.accepted = [&](const Accepted& message) { receiver.accepted(message); };
  std::int64_t matted = frame;
  handler.ready = [&](const FrameReady& message) {
    matted = message.mapped->frame;
    alpha = receiver.receive(message);
  };
  handler.need = [](const NeedFrames&, const SendFrames&) {
    throw Error(code::kIllegalMove, "The server asked for the pixels of a plate on disk.");
  };
  run_job(request, handler, options, token);
  if (!alpha) throw Error(code::kMalformed, "The server ended a job without its alpha.");
  if (key) cache_.put(*key, alpha);
  const std::lock_guard lock(mutex_);
  if (plate.shown && plate.shown->search) search_offsets_[plate.path] = matted - plate.frame;
  return alpha;
}

std::int64_t JobTracker::search_offset(const FileFrame& plate) {
  if (!plate.shown || !plate.shown->search) return 0;
  const std::lock_guard lock(mutex_);
  const auto known = search_offsets_.find(plate.path);
  return known == search_offsets_.end() ? 0 : known->second;
}

void JobTracker::clear() {
  cache_.clear();
  const std::lock_guard lock(mutex_);
  inferred_.clear();
}

void JobTracker::forget(const Hash& clip) {
  cache_.forget(clip);
  const std::lock_guard lock(mutex_);
  inferred_.clear();
}

JobTracker::Lookup JobTracker::find_or_open(const AlphaKeys& keys, bool foreground) {
  const std::lock_guard lock(mutex_);
  if (AlphaPtr finished = cache_.find(keys.key())) return {finished, nullptr, false};
  // After a matte knob has moved, the server has the windows and an artist waits for one frame.
  const bool alone = inferred_.count(keys.inference) > 0;
  if (auto job = find_running(keys, !alone)) return {nullptr, job, false};
  auto job = std::make_shared<Job>();
  // Colours are four times the bytes of an alpha, and take longer: each render asks for its own.
  const bool one = alone || foreground;
  for (const auto& [frame, key] : keys.alphas) {
    const bool asked = frame == keys.frame || !one;
    if (asked && !cache_.holds(key) && running_.count(key) == 0) job->wanted[frame] = key;
  }
  for (const auto& [frame, key] : job->wanted) running_[key] = job;
  if (!alone) job->windows = keys.windows;
  for (const Hash& window : job->windows) running_[window] = job;
  return {nullptr, job, true};
}

/// The job that makes this alpha, or else the one that makes one of its windows.
std::shared_ptr<JobTracker::Job> JobTracker::find_running(const AlphaKeys& keys,
                                                          bool by_windows) const {
  const auto alpha = running_.find(keys.key());
  if (alpha != running_.end()) return alpha->second;
  for (const Hash& window : keys.windows) {
    const auto found = running_.find(window);
    if (by_windows && found != running_.end()) return found->second;
  }
  return nullptr;
}

AlphaPtr JobTracker::run(const std::shared_ptr<Job>& job, const MatteOptions& options,
                         const HostClip& clip, const AlphaKeys& keys, PlateReader& reader,
                         const CancelToken& token) {
  AlphaPtr mine;
  try {
    Matte request = request_for(options, job->wanted);
    request.plate = pushed_plate(options, clip, keys.plate);
    request.playhead = keys.frame;
    PlateSender sender(clip, reader, token);
    AlphaReceiver receiver(identity_of(clip), clip.width, clip.height);
    JobHandler handler;
    handler.accepted = [&](const Accepted& message) {
      sender.restart();
      receiver.accepted(message);
    };
    handler.need = [&](const NeedFrames& need, const SendFrames& send) {
      sender.send(need, send);
    };
    handler.ready = [&](const FrameReady& message) {
      const auto wanted = job->wanted.find(message.mapped->frame);
      if (wanted == job->wanted.end()) return;
      const AlphaPtr alpha = receiver.receive(message);
      cache_.put(wanted->second, alpha);
      if (wanted->first == keys.frame) mine = alpha;
    };
    run_job(request, handler, options, token);
    if (mine && options.foreground && mine->colours.empty()) {
      throw Error(code::kMalformed, "The server gave an alpha without its colours.");
    }
    if (!mine) throw Error(code::kMalformed, "The server ended a job without its alpha.");
  } catch (const Error& error) {
    // This render's abort and time-out are not the others': one of those who wait asks again.
    const bool mine_alone = error.code() == code::kCancelled || error.code() == code::kTimedOut;
    if (!mine_alone) job->failure = std::current_exception();
    close(job);
    throw;
  } catch (...) {
    job->failure = std::current_exception();
    close(job);
    throw;
  }
  {
    const std::lock_guard lock(mutex_);
    if (inferred_.size() >= kMaxInferred) inferred_.clear();
    inferred_.insert(keys.inference);
  }
  close(job);
  return mine;
}

void JobTracker::close(const std::shared_ptr<Job>& job) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [frame, key] : job->wanted) running_.erase(key);
    for (const Hash& window : job->windows) running_.erase(window);
  }
  const std::lock_guard lock(job->mutex);
  job->over = true;
  job->ended.notify_all();
}

std::shared_ptr<JobTracker> job_tracker() {
  const std::lock_guard lock(process_tracker().mutex);
  std::shared_ptr<JobTracker>& tracker = process_tracker().tracker;
  if (!tracker) tracker = std::make_shared<JobTracker>(kCacheBytes);
  return tracker;
}

void close_job_tracker() {
  const std::lock_guard lock(process_tracker().mutex);
  process_tracker().tracker.reset();
}

}  // namespace gvm::bridge
