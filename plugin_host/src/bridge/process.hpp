// Whether a process still lives, without asking it.
#pragma once

#include <cstdint>

namespace gvm::bridge {

/// Whether the process of this number and start time (0: unknown) lives; zombies do not.
/// The start time is in clock ticks since boot, field 22 of proc(5).
bool is_alive(std::int64_t pid, std::int64_t started);

}  // namespace gvm::bridge
