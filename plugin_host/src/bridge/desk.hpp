// Where renders ask for alphas: one request per window, whoever else needs it waits for it.
//
// Laws:
// 1. A render asks with plain values and lends its plate's frames on its own thread only.
// 2. What is finished is found by what it was made from; no instance owns it.
// 3. Every wait polls the host's abort, and has an end.
// 4. Nothing of it runs while nothing is asked: no thread, no socket.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "bridge/recipe.hpp"
#include "bridge/store.hpp"
#include "bridge/watch.hpp"
#include "bridge/wish.hpp"

namespace gvm::bridge {

class Desk {
 public:
  explicit Desk(std::size_t store_bytes) : store_(store_bytes) {}

  /// The alpha of a frame of a host's clip.
  /// Throws Error; Aborted where the host gives up; what the reader throws.
  AlphaPtr alpha(const Wish& wish, const HostClip& clip, std::int64_t frame, PlateReader& reader,
                 const Watch& watch);

  /// The alpha of a frame of a plate on disk, or of the one that is shown. Throws Error; Aborted.
  AlphaPtr alpha(const Wish& wish, const FileFrame& plate, const Watch& watch);

  /// Forgets finished alphas of this process, all or a clip's; the server's cache stays.
  void clear();
  void forget(const Hash& clip);

 private:
  struct Ticket;
  struct Part;

  Part join(const Recipe& recipe);
  std::shared_ptr<Ticket> coming(const Recipe& recipe, bool windows) const;
  AlphaPtr lead(const Part& part, const Wish& wish, const HostClip& clip, const Recipe& recipe,
                PlateReader& reader, const Watch& watch);
  void close(const std::shared_ptr<Ticket>& ticket);

  std::int64_t found_by(const FileFrame& plate);

  Store store_;
  std::mutex mutex_;
  // By plate: how far from where it was asked for a search found the latest frame. The next one
  // begins there.
  std::map<std::string, std::int64_t> found_;
  // By the key of each alpha that is coming, and of each window that is being made for it.
  std::map<Hash, std::shared_ptr<Ticket>> under_way_;
  std::set<Hash> modelled_;  // windows that were made for this process, whatever the knobs
};

}  // namespace gvm::bridge
