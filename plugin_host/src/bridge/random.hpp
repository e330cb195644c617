// Names that nobody else makes.
#pragma once

#include <sys/random.h>

#include <cstddef>
#include <string>

#include "bridge/errors.hpp"

namespace gvm::bridge {

/// `count` random bytes of the system, as hexadecimal digits; at most 256.
///
/// The system's own call: std::random_device would ask for a glibc that studios do not have yet.
inline std::string random_hex(std::size_t count) {
  std::string bytes(count, '\0');
  if (getrandom(bytes.data(), count, 0) != static_cast<ssize_t>(count)) {
    throw Error(code::kOutputUnwritable, "The system gives no random numbers.");
  }
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace gvm::bridge
