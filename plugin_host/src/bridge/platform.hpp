// What the operating system is asked for itself; one implementation for each system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace gvm::bridge {

/// Whether the process of this number and start time (0: unknown) lives; zombies do not.
/// The start time is in clock ticks since boot, field 22 of proc(5). Nothing is sent to it.
bool is_alive(std::int64_t pid, std::int64_t started);

/// `count` random bytes of the system, as hexadecimal digits; at most 256.
/// Throws Error (output_unwritable): the system has none.
std::string random_hex(std::size_t count);

}  // namespace gvm::bridge
