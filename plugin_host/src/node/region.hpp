// The region that is matted, as an artist draws it: from a host's rectangle to the server's.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "bridge/errors.hpp"
#include "bridge/messages.hpp"
#include "openfx/core.h"

namespace gvm::node {

/// Pixels: what arithmetic of floats leaves of a whole number.
inline constexpr double kRounding = 1e-6;

/// The region that holds a rectangle which was drawn in canonical coordinates: y in pixels, x in
/// pixels times the pixel aspect. `window` is the display window in pixels from the same origin, y
/// up; the region counts from its top left corner. `gvm_client.regions.region_of` is the same
/// function; tests/golden/regions.json holds both.
///
/// Throws Error (bad_request): the rectangle has no area, or a side or a place is out of its
/// range.
inline bridge::Region region_of(const ofx::RectD& drawn, const ofx::RectI& window,
                                double pixel_aspect) {
  const std::array edges{drawn.x1, drawn.y1, drawn.x2, drawn.y2};
  bool usable = drawn.x1 < drawn.x2 && drawn.y1 < drawn.y2;
  for (const double edge : edges) usable = usable && std::abs(edge) < 1e9;
  if (!usable) {
    throw bridge::Error(bridge::code::kBadRequest, "The region has no area.",
                        "Draw it, or switch Use Region off.");
  }
  const auto low = [](double edge) {
    return static_cast<std::int64_t>(std::floor(edge + kRounding));
  };
  const auto high = [](double edge) {
    return static_cast<std::int64_t>(std::ceil(edge - kRounding));
  };
  bridge::Region region;
  region.x = low(drawn.x1 / pixel_aspect) - window.x1;
  region.y = window.y2 - high(drawn.y2);
  region.width = high(drawn.x2 / pixel_aspect) - low(drawn.x1 / pixel_aspect);
  region.height = high(drawn.y2) - low(drawn.y1);
  bridge::check(region);
  return region;
}

}  // namespace gvm::node
