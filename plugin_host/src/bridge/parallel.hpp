// A loop over independent pieces on a few threads, which have ended when it returns.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

namespace gvm::bridge {

/// More threads wait for memory, and a host renders several frames at once.
constexpr unsigned kMostThreads = 4;

/// Calls work(index) once for each index below `count`, in any order, from this thread and others.
/// `work` must not throw. Where a thread cannot be had, those that there are do the rest.
template <class Work>
void for_each_index(std::size_t count, const Work& work) {
  std::atomic<std::size_t> next{0};
  const auto take = [&] {
    for (std::size_t index = next++; index < count; index = next++) work(index);
  };
  const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1u, kMostThreads);
  const std::size_t wanted = std::min<std::size_t>(cores, count);
  std::vector<std::thread> others;
  others.reserve(wanted);
  try {
    while (others.size() + 1 < wanted) others.emplace_back(take);
  } catch (const std::system_error&) {
  }
  take();
  for (std::thread& other : others) other.join();
}

}  // namespace gvm::bridge
