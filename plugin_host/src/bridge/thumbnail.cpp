#include "bridge/thumbnail.hpp"

#include <algorithm>
#include <cmath>

#include "bridge/generated/limits.hpp"

namespace gvm::bridge {
namespace {

/// Shares that pixels of a side have in its samples: `add(sample, part of it)`.
template <class Add>
void spread(std::int64_t pixel, std::int64_t side, std::size_t samples, Add&& add) {
  const double each = static_cast<double>(side) / static_cast<double>(samples);
  const auto last = static_cast<double>(samples - 1);
  const double begin = static_cast<double>(pixel), end = begin + 1.0;
  for (double at = std::floor(begin / each); at <= last && at * each < end; ++at) {
    const double covered = std::min(end, (at + 1.0) * each) - std::max(begin, at * each);
    if (covered > 0.0) add(static_cast<std::size_t>(at), static_cast<float>(covered / each));
  }
}

struct Share {
  std::size_t sample;
  std::size_t pixel;
  float part;
};

std::vector<Share> shares(std::int64_t first, std::int64_t last, std::int64_t side,
                          std::size_t samples) {
  std::vector<Share> all;
  for (std::int64_t pixel = first; pixel < last; ++pixel) {
    spread(pixel, side, samples, [&](std::size_t sample, float part) {
      all.push_back({sample, static_cast<std::size_t>(pixel - first), part});
    });
  }
  return all;
}

float median(std::vector<float>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return (*middle + *std::max_element(values.begin(), middle)) / 2.0f;
}

bool is_whole(std::size_t cell, std::size_t cells, std::int64_t side, std::int64_t first,
              std::int64_t last) {
  const double each = static_cast<double>(side) / static_cast<double>(cells);
  const double begin = static_cast<double>(cell) * each;
  return begin >= static_cast<double>(first) - 1e-6 &&
         begin + each <= static_cast<double>(last) + 1e-6;
}

std::vector<std::int64_t> in_order(const std::vector<float>& cells,
                                   const std::vector<std::size_t>& there) {
  std::vector<std::size_t> order = there;
  std::sort(order.begin(), order.end(),
            [&](std::size_t left, std::size_t right) { return cells[left] < cells[right]; });
  std::vector<std::int64_t> ranks(cells.size(), -1);
  std::int64_t rank = 0;
  for (std::size_t at = 0; at < order.size(); ++at) {
    const float value = cells[order[at]];
    const float before = at > 0 ? cells[order[at - 1]] : value;
    if (value - before > kShownEqual * std::abs(value)) ++rank;
    ranks[order[at]] = rank;
  }
  return ranks;
}

}  // namespace

std::vector<std::int64_t> ranks_of(std::int64_t width, std::int64_t height,
                                   const ThumbnailPart& part, const ReadRow& read) {
  constexpr std::size_t kAcross = kShownColumns * kShownSamples,
                        kDown = kShownRows * kShownSamples;
  std::vector<float> samples(kAcross * kDown, 0.0f);
  const std::vector<Share> across = shares(part.x1, part.x2, width, kAcross);
  std::vector<float> row(static_cast<std::size_t>(std::max<std::int64_t>(part.x2 - part.x1, 0)));
  std::vector<float> reduced(kAcross);
  for (std::int64_t y = part.y1; y < part.y2; ++y) {
    read(y, row.data());
    std::fill(reduced.begin(), reduced.end(), 0.0f);
    for (const Share& share : across) {
      const float value = row[share.pixel];
      if (std::isfinite(value)) reduced[share.sample] += share.part * value;
    }
    spread(y, height, kDown, [&](std::size_t sample, float weight) {
      float* const to = &samples[sample * kAcross];
      for (std::size_t x = 0; x < kAcross; ++x) to[x] += weight * reduced[x];
    });
  }
  std::vector<float> cells(kShownColumns * kShownRows);
  std::vector<std::size_t> there;
  std::vector<float> cell(kShownSamples * kShownSamples);
  for (std::size_t at = 0; at < cells.size(); ++at) {
    const std::size_t left = at % kShownColumns, top = at / kShownColumns;
    for (std::size_t index = 0; index < cell.size(); ++index) {
      const std::size_t y = top * kShownSamples + index / kShownSamples;
      cell[index] = samples[y * kAcross + left * kShownSamples + index % kShownSamples];
    }
    cells[at] = median(cell);
    if (is_whole(left, kShownColumns, width, part.x1, part.x2) &&
        is_whole(top, kShownRows, height, part.y1, part.y2)) {
      there.push_back(at);
    }
  }
  return in_order(cells, there);
}

}  // namespace gvm::bridge
