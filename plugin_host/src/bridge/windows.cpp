#include "bridge/windows.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "bridge/errors.hpp"
#include "bridge/messages.hpp"

namespace gvm::bridge {
namespace {

std::string extent(const Plan& plan) {
  return std::to_string(plan.first) + "-" + std::to_string(plan.last);
}

std::int64_t ceil_divide(std::int64_t numerator, std::int64_t denominator) {
  return numerator <= 0 ? -(-numerator / denominator) : (numerator - 1) / denominator + 1;
}

std::int64_t stride(const Plan& plan) {
  return plan.kind == PlanKind::kReference ? plan.frames_per_window
                                           : plan.frames_per_window - plan.overlap;
}

}  // namespace

void Plan::check() const {
  if (last < first) throw Error(code::kBadRequest, "The clip " + extent(*this) + " is empty.");
  WindowSettings settings;
  settings.frames_per_window = frames_per_window;
  settings.overlap = overlap;
  bridge::check(settings);
  std::int64_t before = first;
  for (std::int64_t cut : cuts) {
    if (cut <= before || cut > last) {
      throw Error(code::kBadRequest, "The cut at frame " + std::to_string(cut) +
                                         " does not ascend within the clip " + extent(*this) +
                                         ".");
    }
    before = cut;
  }
}

Window shot_of(const Plan& plan, std::int64_t frame) {
  if (frame < plan.first || frame > plan.last) {
    throw Error(code::kRangeOutside,
                "Frame " + std::to_string(frame) + " lies outside the clip " + extent(plan) + ".",
                "Ask for frames of the clip, or set its extent.");
  }
  const auto next = std::upper_bound(plan.cuts.begin(), plan.cuts.end(), frame);
  return {next == plan.cuts.begin() ? plan.first : *(next - 1),
          next == plan.cuts.end() ? plan.last : *next - 1};
}

std::int64_t window_count(const Plan& plan, const Window& shot) {
  const std::int64_t width = plan.frames_per_window;
  if (plan.kind == PlanKind::kReference) return ceil_divide(shot.length(), width);
  if (shot.length() <= width) return 1;
  // One every stride while they fit; if they leave a rest, one more, shifted back.
  return 1 + ceil_divide(shot.length() - width, stride(plan));
}

Window window_at(const Plan& plan, const Window& shot, std::int64_t index) {
  const std::int64_t width = plan.frames_per_window;
  std::int64_t first = shot.first + index * stride(plan);
  if (plan.kind == PlanKind::kSeamless) {
    first = std::max(std::min(first, shot.last - width + 1), shot.first);
  }
  return {first, std::min(first + width - 1, shot.last)};
}

std::vector<Window> windows_covering(const Plan& plan, std::int64_t frame) {
  const Window shot = shot_of(plan, frame);
  const std::int64_t count = window_count(plan, shot);
  const std::int64_t offset = frame - shot.first;
  const std::int64_t lowest =
      std::max<std::int64_t>(0, ceil_divide(offset - plan.frames_per_window + 1, stride(plan)));
  const std::int64_t highest = std::min(offset / stride(plan), count - 1);
  std::set<std::int64_t> indices{count - 1};  // shifted back, it may reach where it does not begin
  for (std::int64_t index = lowest; index <= highest; ++index) indices.insert(index);
  std::vector<Window> covering;
  for (std::int64_t index : indices) {
    const Window window = window_at(plan, shot, index);
    if (window.holds(frame)) covering.push_back(window);
  }
  return covering;
}

std::vector<Blend> blends(const Plan& plan, std::int64_t frame) {
  const std::vector<Window> covering = windows_covering(plan, frame);
  std::vector<Blend> fold{{covering.front(), 1, 1}};
  for (std::size_t index = 1; index < covering.size(); ++index) {
    const Window& window = covering[index];
    const std::int64_t shared = covering[index - 1].last - window.first + 1;
    fold.push_back({window, frame - window.first + 1, shared + 1});
  }
  return fold;
}

Window seen_by(const Plan& plan, const Window& window) {
  const Window shot = shot_of(plan, window.first);
  return {std::max(shot.first, window.first - plan.reach),
          std::min(shot.last, window.last + plan.reach)};
}

Window needs(const Plan& plan, std::int64_t frame) {
  const std::vector<Window> covering = windows_covering(plan, frame);
  return {seen_by(plan, covering.front()).first, seen_by(plan, covering.back()).last};
}

Window made_together(const Plan& plan, std::int64_t frame) {
  const Window wanted = needs(plan, frame);
  const auto fits = [&](std::int64_t other) {
    const Window its = needs(plan, other);
    return wanted.first <= its.first && its.last <= wanted.last;
  };
  Window together{frame, frame};
  while (together.first > wanted.first && fits(together.first - 1)) --together.first;
  while (together.last < wanted.last && fits(together.last + 1)) ++together.last;
  return together;
}

}  // namespace gvm::bridge
