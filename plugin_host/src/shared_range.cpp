#include "shared_range.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

namespace gvm::plugin {
namespace {

// Other plug-ins measured one or two, and allow for three.
constexpr std::int64_t kDiffer = 3;

std::mutex mutex;
std::map<std::string, std::vector<bridge::Window>> known;

bool is_near(const bridge::Window& left, const bridge::Window& right) {
  return std::abs(left.first - right.first) <= kDiffer &&
         std::abs(left.last - right.last) <= kDiffer;
}

}  // namespace

bridge::Window shared_range(const std::string& media, const bridge::Window& own) {
  const std::lock_guard lock(mutex);
  std::vector<bridge::Window>& ranges = known[media];
  for (bridge::Window& range : ranges) {
    if (!is_near(range, own)) continue;
    // All of both: the frame that one of them does not know is the other's last.
    range = {std::min(range.first, own.first), std::max(range.last, own.last)};
    return range;
  }
  ranges.push_back(own);
  return own;
}

void forget_shared_ranges() {
  const std::lock_guard lock(mutex);
  known.clear();
}

}  // namespace gvm::plugin
