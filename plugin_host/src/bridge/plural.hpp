// Counts as people read them, as gvm_client/text.py has them.
#pragma once

#include <cstdint>
#include <string>

namespace gvm::bridge {

/// A count and its noun, `1 frame` or `2 frames`; the noun takes a plain `s`.
inline std::string counted(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace gvm::bridge
