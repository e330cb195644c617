// How a waiting thread learns that it must stop: the host's abort, and the node's time-out.
#pragma once

#include <chrono>
#include <functional>

#include "bridge/errors.hpp"
#include "bridge/text.hpp"

namespace gvm::bridge {

inline constexpr int kPollMs = 25;  // how often a wait checks; a host is promised at most 50

using Clock = std::chrono::steady_clock;

inline Clock::time_point after(double seconds) {
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

/// Checked by a waiting thread, on that thread.
struct CancelToken {
  std::function<bool()> aborted = [] { return false; };
  Clock::time_point deadline = Clock::time_point::max();
  double seconds = 0.0;  // from its start to the deadline

  /// The same token with a deadline so many seconds from now.
  CancelToken within(double limit) const { return {aborted, after(limit), limit}; }

  /// Throws Aborted where the host has cancelled; Error (timed_out) after the deadline.
  void check() const {
    if (aborted()) throw Aborted();
    if (Clock::now() > deadline) {
      throw Error(
          code::kTimedOut,
          "The matte did not come within " + in_seconds(seconds) + ", the node's time-out.",
          "Raise the time-out, or see with `gvm status` what the server is doing.");
    }
  }
};

}  // namespace gvm::bridge
