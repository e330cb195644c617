// Finished alphas of the process, shared by all instances: hosts make and drop many of one node.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "bridge/hash.hpp"

namespace gvm::bridge {

/// One alpha: float 0..1, rows from the top down; where they were asked for, with the subject's
/// straight colours, three to a pixel, in the clip's own space.
struct Alpha {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<float> pixels;
  std::vector<float> colours;
  bool preview = false;  // made by the preview engine
  std::string roi_cut;   // the sides of its region at which the subject is cut
  Hash clip;             // identity_of its clip
};

using AlphaPtr = std::shared_ptr<const Alpha>;

/// An LRU cache of alphas with a limit in bytes; from any thread.
class AlphaCache {
 public:
  explicit AlphaCache(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}

  AlphaPtr find(const Hash& key);
  bool holds(const Hash& key) const;
  void put(const Hash& key, AlphaPtr alpha);
  void clear();
  void forget(const Hash& clip);

 private:
  using Entry = std::pair<Hash, AlphaPtr>;

  mutable std::mutex mutex_;
  std::size_t limit_bytes_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // the latest used first
  std::map<Hash, std::list<Entry>::iterator> places_;
};

}  // namespace gvm::bridge
