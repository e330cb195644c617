// Half floats: Imath's conversions, header-only (no look-up table, so no library).
#pragma once

#define IMATH_HALF_NO_LOOKUP_TABLE
#include <Imath/half.h>

#include <cmath>
#include <cstdint>

namespace gvm::node {

inline float float_of_half(std::uint16_t half) { return imath_half_to_float(half); }

/// To the nearest, ties to even; too large becomes infinity. A NaN keeps its sign only: which of
/// its other bits Imath keeps depends on the processor that it was compiled for.
inline std::uint16_t half_of_float(float value) {
  if (std::isnan(value)) return std::signbit(value) ? 0xFE00 : 0x7E00;
  return imath_float_to_half(value);
}

}  // namespace gvm::node
