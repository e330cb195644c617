#include "node/feather.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace gvm::node {
namespace {

using Rows = std::vector<float>;

// As in gvm_server/matting/knobs.py: a wide disc is made of discs of this radius.
constexpr int kDiscStep = 8;
constexpr double kTail = 4.0;  // sigmas that a blur reaches

/// Of one row: the largest value within each half-width around each pixel.
struct WidenedRow {
  std::array<Rows, kDiscStep + 1> of_reach;

  void fill(const float* row, int width, int radius) {
    of_reach[0].assign(row, row + width);
    for (int reach = 1; reach <= radius; ++reach) {
      const Rows& inner = of_reach[static_cast<std::size_t>(reach) - 1];
      Rows& wider = of_reach[static_cast<std::size_t>(reach)];
      wider = inner;
      for (int x = reach; x < width; ++x) {
        const auto at = static_cast<std::size_t>(x);
        wider[at] = std::max(wider[at], row[x - reach]);
      }
      for (int x = 0; x + reach < width; ++x) {
        const auto at = static_cast<std::size_t>(x);
        wider[at] = std::max(wider[at], row[x + reach]);
      }
    }
  }
};

/// Dilates by a disc of a radius of at most kDiscStep: pixels whose centres are within it.
Rows dilated(const Rows& from, int width, int radius) {
  if (radius == 0) return from;
  const int height = static_cast<int>(from.size()) / width;
  const int span = 2 * radius + 1;
  std::vector<WidenedRow> ring(static_cast<std::size_t>(span));
  const auto row_at = [&](int y) -> WidenedRow& {
    return ring[static_cast<std::size_t>(y % span)];
  };
  const auto fill = [&](int y) {
    row_at(y).fill(from.data() + static_cast<std::size_t>(y) * width, width, radius);
  };
  for (int y = 0; y < std::min(radius, height); ++y) fill(y);
  Rows to(from.size(), 0.0f);
  for (int y = 0; y < height; ++y) {
    if (y + radius < height) fill(y + radius);
    float* const out = to.data() + static_cast<std::size_t>(y) * width;
    for (int away = -radius; away <= radius; ++away) {
      if (y + away < 0 || y + away >= height) continue;
      const auto reach =
          static_cast<std::size_t>(std::sqrt(static_cast<double>(radius * radius - away * away)));
      const float* const wide = row_at(y + away).of_reach[reach].data();
      for (int x = 0; x < width; ++x) out[x] = std::max(out[x], wide[x]);
    }
  }
  return to;
}

/// A fraction of a radius lies between the two whole ones around it.
Rows grown(Rows guide, int width, double radius) {
  const int whole = static_cast<int>(std::floor(radius));
  const auto fraction = static_cast<float>(radius - whole);
  for (int step = 0; step < whole / kDiscStep; ++step) guide = dilated(guide, width, kDiscStep);
  const int rest = whole % kDiscStep;
  Rows inner = dilated(guide, width, rest);
  if (fraction == 0.0f) return inner;
  const Rows outer = dilated(guide, width, rest + 1);
  for (std::size_t at = 0; at < inner.size(); ++at) {
    inner[at] += (outer[at] - inner[at]) * fraction;
  }
  return inner;
}

std::vector<float> gaussian(double sigma) {
  const int reach = static_cast<int>(std::lround(kTail * sigma));
  std::vector<double> weights;
  double sum = 0.0;
  for (int away = -reach; away <= reach; ++away) {
    weights.push_back(std::exp(-0.5 * away * away / (sigma * sigma)));
    sum += weights.back();
  }
  std::vector<float> kernel;
  for (const double weight : weights) kernel.push_back(static_cast<float>(weight / sum));
  return kernel;
}

/// Blurs along a row or a column, `step` values apart; the border's pixels go on beyond it.
void blur_line(float* line, int count, std::ptrdiff_t step, const std::vector<float>& kernel,
               Rows& wide) {
  const int reach = static_cast<int>(kernel.size()) / 2;
  wide.resize(static_cast<std::size_t>(count + 2 * reach));
  for (int at = 0; at < count + 2 * reach; ++at) {
    wide[static_cast<std::size_t>(at)] = line[std::clamp(at - reach, 0, count - 1) * step];
  }
  for (int at = 0; at < count; ++at) {
    float sum = 0.0f;
    for (std::size_t tap = 0; tap < kernel.size(); ++tap) {
      sum += kernel[tap] * wide[static_cast<std::size_t>(at) + tap];
    }
    line[at * step] = sum;
  }
}

void blur(Rows& guide, int width, double sigma) {
  const std::vector<float> kernel = gaussian(sigma);
  const int height = static_cast<int>(guide.size()) / width;
  Rows wide;
  for (int y = 0; y < height; ++y) {
    blur_line(guide.data() + static_cast<std::size_t>(y) * width, width, 1, kernel, wide);
  }
  for (int x = 0; x < width; ++x) blur_line(guide.data() + x, height, width, kernel, wide);
}

}  // namespace

void feather(std::vector<float>& guide, int width, double length) {
  if (length <= 0.0 || guide.empty()) return;
  Rows faded = grown(guide, width, length / 2);
  blur(faded, width, length / 2 / kTail);
  for (std::size_t at = 0; at < guide.size(); ++at) {
    guide[at] = std::clamp(faded[at], guide[at], 1.0f);
  }
}

}  // namespace gvm::node
