// Names that nobody else makes.
#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace gvm::bridge {

/// `count` random bytes of the system, as hexadecimal digits.
inline std::string random_hex(std::size_t count) {
  std::random_device source;
  std::string text;
  for (std::size_t digit = 0; digit < 2 * count; ++digit) {
    text += "0123456789abcdef"[source() & 15];
  }
  return text;
}

}  // namespace gvm::bridge
