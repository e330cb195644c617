// How a wait asks whether it is still wanted: by its host, and by the node's time-out.
#pragma once

#include <chrono>
#include <functional>
#include <sstream>
#include <string>

#include "bridge/errors.hpp"

namespace gvm::bridge {

inline constexpr int kPollMs = 25;  // how often a wait asks; a host is promised at most 50

using Clock = std::chrono::steady_clock;

inline Clock::time_point after(double seconds) {
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

/// "8 s", "1.5 s".
inline std::string in_seconds(double seconds) {
  std::ostringstream text;
  text << seconds << " s";
  return text.str();
}

/// What a waiting thread calls, on its own thread.
struct Watch {
  std::function<bool()> aborted = [] { return false; };
  Clock::time_point deadline = Clock::time_point::max();
  double seconds = 0.0;  // from which the deadline comes

  /// The same watch, whose time is up after so many seconds from now.
  Watch within(double limit) const { return {aborted, after(limit), limit}; }

  /// Throws Aborted where the host has given up; Error (timed_out) after the deadline.
  void check() const {
    if (aborted()) throw Aborted();
    if (Clock::now() > deadline) {
      throw Error(code::kTimedOut,
                  "The matte did not come within " + in_seconds(seconds) + ", the node's time-out.",
                  "Raise the time-out, or see with `gvm status` what the server is doing.");
    }
  }
};

}  // namespace gvm::bridge
