#include "bridge/desk.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <vector>

#include "bridge/conversation.hpp"
#include "bridge/lender.hpp"
#include "bridge/pixels.hpp"
#include "bridge/random.hpp"
#include "bridge/runtime.hpp"

namespace gvm::bridge {
namespace {

constexpr std::size_t kMaxModelled = 4096;  // hashes; past it some window is asked for whole again

Matte request_for(const Wish& wish, const FrameHashes& wanted) {
  Matte request;
  request.job = random_hex(16);
  request.output = MappedOutput{};
  for (const auto& [frame, key] : wanted) {
    request.frames += (request.frames.empty() ? "" : ",") + std::to_string(frame);
  }
  request.window = wish.window;
  request.knobs = wish.knobs;
  request.engine = wish.engine;
  request.priority = wish.priority;
  request.context = wish.context;
  return request;
}

PushedPlate pushed_plate(const Wish& wish, const HostClip& clip, const FrameHashes& frames) {
  PushedPlate plate;
  plate.name = clip.name;
  plate.first = clip.first;
  plate.last = clip.last;
  plate.width = clip.width;
  plate.height = clip.height;
  plate.pixel_aspect = clip.pixel_aspect;
  plate.colourspace = wish.colourspace;
  plate.bad_pixels = wish.bad_pixels;
  for (const auto& [frame, key] : frames) plate.frames.push_back({frame, key.hex()});
  return plate;
}

/// Takes the alphas of a job out of their buffers.
class Receiver {
 public:
  explicit Receiver(const Hash& clip) : clip_(clip) {}
  Receiver(const Hash& clip, std::int64_t width, std::int64_t height)
      : clip_(clip), width_(width), height_(height) {}

  void accepted(const Accepted& message) { preview_ = message.preview; }

  AlphaPtr take(const MappedFrame& image) const {
    auto alpha = std::make_shared<Alpha>();
    alpha->width = image.width;
    alpha->height = image.height;
    alpha->pixels = take_alpha(folder_, image);
    if (width_ > 0) lay_on_region(image, *alpha);
    alpha->preview = preview_;
    alpha->clip = clip_;
    return alpha;
  }

 private:
  /// The alpha of a part of the clip's region becomes the region's: around it there is nothing.
  void lay_on_region(const MappedFrame& image, Alpha& alpha) const {
    if (image.width == width_ && image.height == height_) return;
    if (image.x < 0 || image.y < 0 || image.x + image.width > width_ ||
        image.y + image.height > height_) {
      throw Error(code::kMalformed, "The server gave an alpha that reaches outside the clip.");
    }
    std::vector<float> whole(static_cast<std::size_t>(width_ * height_), 0.0f);
    for (std::int64_t row = 0; row < image.height; ++row) {
      std::copy_n(alpha.pixels.begin() + row * image.width, image.width,
                  whole.begin() + (image.y + row) * width_ + image.x);
    }
    alpha.pixels = std::move(whole);
    alpha.width = width_;
    alpha.height = height_;
  }

  Hash clip_;
  std::int64_t width_ = 0, height_ = 0;  // of the region of a host's clip; 0 of a plate on disk
  std::filesystem::path folder_ = pixels_dir();
  bool preview_ = false;
};

}  // namespace

/// A job under way; those who wait for it learn how it ended.
struct Desk::Ticket {
  FrameHashes wanted;
  std::vector<Hash> windows;
  std::mutex mutex;
  std::condition_variable ended;
  bool over = false;
  std::exception_ptr failure;

  void wait(const Watch& watch) {
    std::unique_lock lock(mutex);
    while (!over) {
      ended.wait_for(lock, std::chrono::milliseconds(kPollMs));
      lock.unlock();
      watch.check();
      lock.lock();
    }
    if (failure) std::rethrow_exception(failure);
  }
};

/// A render's part in a job: it leads it, waits for it, or finds it finished.
struct Desk::Part {
  AlphaPtr finished;
  std::shared_ptr<Ticket> ticket;
  bool leads = false;
};

AlphaPtr Desk::alpha(const Wish& wish, const HostClip& clip, std::int64_t frame,
                     PlateReader& reader, const Watch& host) {
  const Watch watch = host.within(wish.timeout_seconds);
  const Recipe recipe = recipe_for(wish, clip, frame, reader, watch);
  while (true) {
    const Part part = join(recipe);
    if (part.finished) return part.finished;
    if (part.leads) return lead(part, wish, clip, recipe, reader, watch);
    part.ticket->wait(watch);
  }
}

AlphaPtr Desk::alpha(const Wish& wish, const FileFrame& plate, const Watch& host) {
  const Watch watch = host.within(wish.timeout_seconds);
  const std::optional<Hash> key = key_of(wish, plate);
  if (AlphaPtr finished = key ? store_.find(*key) : nullptr) return finished;
  FilePlate file;
  file.path = plate.path;
  file.colourspace = wish.colourspace;
  file.bad_pixels = wish.bad_pixels;
  file.shown = plate.shown;
  const std::int64_t frame = plate.frame + found_by(plate);
  Matte request = request_for(wish, {{frame, Hash{}}});
  request.plate = file;
  request.playhead = frame;
  Receiver receiver(identity_of(plate));
  AlphaPtr alpha;
  JobHandler handler;
  handler.accepted = [&](const Accepted& message) { receiver.accepted(message); };
  std::int64_t matted = frame;
  handler.ready = [&](const MappedFrame& image) {
    matted = image.frame;
    alpha = receiver.take(image);
  };
  handler.need = [](const NeedFrames&, const Give&) {
    throw Error(code::kIllegalMove, "The server asked for the pixels of a plate on disk.");
  };
  converse(request, handler, wish, watch);
  if (!alpha) throw Error(code::kMalformed, "The server ended a job without its alpha.");
  if (key) store_.put(*key, alpha);
  const std::lock_guard lock(mutex_);
  if (plate.shown && plate.shown->search) found_[plate.path] = matted - plate.frame;
  return alpha;
}

std::int64_t Desk::found_by(const FileFrame& plate) {
  if (!plate.shown || !plate.shown->search) return 0;
  const std::lock_guard lock(mutex_);
  const auto known = found_.find(plate.path);
  return known == found_.end() ? 0 : known->second;
}

void Desk::clear() {
  store_.clear();
  const std::lock_guard lock(mutex_);
  modelled_.clear();
}

void Desk::forget(const Hash& clip) {
  store_.forget(clip);
  const std::lock_guard lock(mutex_);
  modelled_.clear();
}

Desk::Part Desk::join(const Recipe& recipe) {
  const std::lock_guard lock(mutex_);
  if (AlphaPtr finished = store_.find(recipe.key())) return {finished, nullptr, false};
  // After a matte knob has moved, the server has the windows and an artist waits for one frame.
  const bool alone = modelled_.count(recipe.model) > 0;
  if (auto ticket = coming(recipe, !alone)) return {nullptr, ticket, false};
  auto ticket = std::make_shared<Ticket>();
  for (const auto& [frame, key] : recipe.alphas) {
    const bool asked = frame == recipe.frame || !alone;
    if (asked && !store_.holds(key) && under_way_.count(key) == 0) ticket->wanted[frame] = key;
  }
  for (const auto& [frame, key] : ticket->wanted) under_way_[key] = ticket;
  if (!alone) ticket->windows = recipe.windows;
  for (const Hash& window : ticket->windows) under_way_[window] = ticket;
  return {nullptr, ticket, true};
}

/// The job that makes this alpha, or else one of its windows.
std::shared_ptr<Desk::Ticket> Desk::coming(const Recipe& recipe, bool windows) const {
  const auto alpha = under_way_.find(recipe.key());
  if (alpha != under_way_.end()) return alpha->second;
  for (const Hash& window : recipe.windows) {
    const auto found = under_way_.find(window);
    if (windows && found != under_way_.end()) return found->second;
  }
  return nullptr;
}

AlphaPtr Desk::lead(const Part& part, const Wish& wish, const HostClip& clip, const Recipe& recipe,
                    PlateReader& reader, const Watch& watch) {
  const std::shared_ptr<Ticket>& ticket = part.ticket;
  AlphaPtr mine;
  try {
    Matte request = request_for(wish, ticket->wanted);
    request.plate = pushed_plate(wish, clip, recipe.plate);
    request.playhead = recipe.frame;
    Lender lender(clip, reader, watch);
    Receiver receiver(identity_of(clip), clip.width, clip.height);
    JobHandler handler;
    handler.accepted = [&](const Accepted& message) {
      lender.begin();
      receiver.accepted(message);
    };
    handler.need = [&](const NeedFrames& need, const Give& give) { lender.lend(need, give); };
    handler.ready = [&](const MappedFrame& image) {
      const auto wanted = ticket->wanted.find(image.frame);
      if (wanted == ticket->wanted.end()) return;
      const AlphaPtr alpha = receiver.take(image);
      store_.put(wanted->second, alpha);
      if (image.frame == recipe.frame) mine = alpha;
    };
    converse(request, handler, wish, watch);
    if (!mine) throw Error(code::kMalformed, "The server ended a job without its alpha.");
  } catch (const Error& error) {
    // Those who wait are not aborted, and may have more time: one of them asks anew.
    const bool mine_alone = error.code() == code::kCancelled || error.code() == code::kTimedOut;
    if (!mine_alone) ticket->failure = std::current_exception();
    close(ticket);
    throw;
  } catch (...) {
    ticket->failure = std::current_exception();
    close(ticket);
    throw;
  }
  {
    const std::lock_guard lock(mutex_);
    if (modelled_.size() >= kMaxModelled) modelled_.clear();
    modelled_.insert(recipe.model);
  }
  close(ticket);
  return mine;
}

void Desk::close(const std::shared_ptr<Ticket>& ticket) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [frame, key] : ticket->wanted) under_way_.erase(key);
    for (const Hash& window : ticket->windows) under_way_.erase(window);
  }
  const std::lock_guard lock(ticket->mutex);
  ticket->over = true;
  ticket->ended.notify_all();
}

}  // namespace gvm::bridge
