// How a wait asks its host whether it is still wanted.
#pragma once

#include <chrono>
#include <functional>

#include "bridge/errors.hpp"

namespace gvm::bridge {

inline constexpr int kPollMs = 25;  // how often a wait asks; a host is promised at most 50

/// What a waiting thread calls, on its own thread.
struct Watch {
  std::function<bool()> aborted = [] { return false; };

  /// Throws Aborted where the host has given up.
  void check() const {
    if (aborted()) throw Aborted();
  }
};

using Clock = std::chrono::steady_clock;

inline Clock::time_point after(double seconds) {
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace gvm::bridge
