// The window plan: which frames the model sees together, as pure integer functions.
//
// The same functions as gvm_client/windows.py, tied by tests/golden/windows.json. The grid is
// anchored at the clip's first frame and at each cut, never at what is asked for.
#pragma once

#include <cstdint>
#include <vector>

#include "bridge/generated/settings.hpp"

namespace gvm::bridge {

/// Consecutive frames `first..last`, both included, that the model sees together.
struct Window {
  std::int64_t first;
  std::int64_t last;

  std::int64_t length() const { return last - first + 1; }
  bool holds(std::int64_t frame) const { return first <= frame && frame <= last; }
  bool operator==(const Window& other) const { return first == other.first && last == other.last; }
};

/// One window's share in a frame: `alpha += (its alpha - alpha) * numerator / denominator`.
struct Blend {
  Window window;
  std::int64_t numerator;
  std::int64_t denominator;
};

/// A clip's grid: its extent, its window and its cuts.
struct Plan {
  std::int64_t first;
  std::int64_t last;
  std::int64_t frames_per_window;
  std::int64_t overlap;
  PlanKind kind = PlanKind::kSeamless;
  std::vector<std::int64_t> cuts = {};
  std::int64_t reach = 0;  // frames on each side of a window that its engine looks at besides

  /// Throws Error (bad_request): the extent is empty, a cut lies outside it, or W and O do not
  /// fit.
  void check() const;
};

// Each of these throws Error (range_outside) where the frame lies outside the clip.

/// The extent of the shot that holds a frame.
Window shot_of(const Plan& plan, std::int64_t frame);

/// The windows that hold a frame, in window order: one, two, or three at a clip's tail.
std::vector<Window> windows_covering(const Plan& plan, std::int64_t frame);

/// The fold that makes a frame's alpha: the first share is always 1/1.
std::vector<Blend> blends(const Plan& plan, std::int64_t frame);

/// A window with the frames around it that its engine looks at besides, of its shot.
Window seen_by(const Plan& plan, const Window& window);

/// The extent of plate frames that one render of a frame needs: what a host must give.
Window needs(const Plan& plan, std::int64_t frame);

/// The frames whose needs lie within those of a frame: one job makes them all at no further cost.
Window made_together(const Plan& plan, std::int64_t frame);

/// How many windows a shot has, and window `index` (0-based) of it.
std::int64_t window_count(const Plan& plan, const Window& shot);
Window window_at(const Plan& plan, const Window& shot, std::int64_t index);

}  // namespace gvm::bridge
