#include "bridge/alpha_cache.hpp"

#include <iterator>

namespace gvm::bridge {
namespace {

std::size_t bytes_of(const AlphaPtr& alpha) {
  return (alpha->pixels.size() + alpha->colours.size()) * sizeof(float);
}

}  // namespace

AlphaPtr AlphaCache::find(const Hash& key) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->second;
}

bool AlphaCache::holds(const Hash& key) const {
  const std::lock_guard lock(mutex_);
  return places_.count(key) > 0;
}

void AlphaCache::put(const Hash& key, AlphaPtr alpha) {
  const std::lock_guard lock(mutex_);
  if (places_.count(key) > 0) return;
  bytes_ += bytes_of(alpha);
  entries_.emplace_front(key, std::move(alpha));
  places_[key] = entries_.begin();
  while (bytes_ > limit_bytes_ && entries_.size() > 1) {
    bytes_ -= bytes_of(entries_.back().second);
    places_.erase(entries_.back().first);
    entries_.pop_back();
  }
}

void AlphaCache::clear() {
  const std::lock_guard lock(mutex_);
  places_.clear();
  entries_.clear();
  bytes_ = 0;
}

void AlphaCache::forget(const Hash& clip) {
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const bool of_clip = entry->second->clip == clip;
    if (of_clip) {
      bytes_ -= bytes_of(entry->second);
      places_.erase(entry->first);
    }
    entry = of_clip ? entries_.erase(entry) : std::next(entry);
  }
}

}  // namespace gvm::bridge
