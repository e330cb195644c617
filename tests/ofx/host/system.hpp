// What the fake host asks of its system; one implementation for each.
#pragma once

#include <cstddef>
#include <string>

namespace fake {

/// Loads a library by its path (UTF-8). Throws std::runtime_error.
void* open_library(const std::string& path);

/// A symbol's address there; null where it has none.
void* symbol_of(void* library, const char* name);

/// Unloads it; 0 where that succeeded.
int close_library(void* library);

/// From now on, whoever opens a file, makes a socket, a process or a thread, ends this process.
/// Throws std::runtime_error: this system cannot.
void seal();

/// Lets standard input and output carry bytes as they are.
void open_streams();

/// What this process holds.
struct Holdings {
  std::size_t files = 0;
  std::size_t threads = 0;
  std::size_t resident = 0;  // bytes
};

Holdings holdings();

}  // namespace fake
