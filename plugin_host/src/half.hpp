// IEEE 754 half to float and back, by arithmetic on the bits.
#pragma once

#include <cstdint>
#include <cstring>

namespace gvm::plugin {

inline float float_of_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = half >> 10 & 31;
  const std::uint32_t fraction = half & 0x3FFu;
  float value;
  if (exponent == 0) {  // zero and subnormals: steps of 2^-24
    value = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -value : value;
  }
  const std::uint32_t wide = exponent == 31 ? 255u : exponent + 112;
  const std::uint32_t bits = sign | wide << 23 | fraction << 13;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// To the nearest, ties to even; too large becomes infinity.
inline std::uint16_t half_of_float(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  bits &= 0x7FFFFFFFu;
  if (bits > 0x7F800000u) return sign | 0x7E00u;   // NaN
  if (bits >= 0x477FF000u) return sign | 0x7C00u;  // 65520 and more
  if (bits < 0x38800000u) {                        // below 2^-14: subnormal
    float magnitude;
    std::memcpy(&magnitude, &bits, sizeof magnitude);
    const float shifted = magnitude + 0.5f;  // the float's own rounding, to steps of 2^-24
    std::uint32_t rounded;
    std::memcpy(&rounded, &shifted, sizeof rounded);
    return static_cast<std::uint16_t>(sign | (rounded - 0x3F000000u));
  }
  const std::uint32_t odd = bits >> 13 & 1;
  return static_cast<std::uint16_t>(sign | ((bits - 0x38000000u + 0xFFFu + odd) >> 13));
}

}  // namespace gvm::plugin
