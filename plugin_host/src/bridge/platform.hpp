// What the operating system is asked for itself; one implementation for each system.
//
// Texts are UTF-8 on every system; paths of them are made by std::filesystem::u8path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace gvm::bridge {

/// The system's refusal, in its words.
class SystemError : public std::runtime_error {
 public:
  SystemError(const std::string& reason, bool disk_full)
      : std::runtime_error(reason), disk_full_(disk_full) {}

  bool disk_full() const { return disk_full_; }

 private:
  bool disk_full_;
};

// Processes.

/// This process's number.
std::int64_t process_id();

/// Whether the process of this number and start time (0: unknown) lives; zombies do not.
///
/// The start time is Linux's in clock ticks since boot (field 22 of proc(5)), Windows' creation
/// time in units of 100 ns since 1601, macOS' in microseconds since 1970; as in
/// gvm_client/process.py. Nothing is sent to the process.
bool is_alive(std::int64_t pid, std::int64_t started);

/// A child process: its number, or its handle on Windows.
using Child = std::intptr_t;

enum class ChildState { kRuns, kEnded, kKilled };

/// Starts a program that outlives this process: no terminal, no console, none of this process's
/// files; what it says goes to the end of `log`.
/// `environment` holds NAME=text. Throws SystemError.
Child spawn(const std::vector<std::string>& words, const std::vector<std::string>& environment,
            const std::filesystem::path& log);

/// How a child is; one that has ended is forgotten with the answer.
ChildState state_of(Child child);

/// Asks a child to end; on Windows ends it.
void end_child(Child child);

// The environment.

/// A variable's text; "" where it is not set.
std::string variable(const char* name);

/// All variables, as NAME=text.
std::vector<std::string> environment();

/// Whether a backslash in a command line escapes what follows; on Windows it separates folders.
bool backslash_escapes();

/// The user's home folder; "" where there is none.
std::string home_folder();

/// Where the run-time folder is unless a variable names it.
std::filesystem::path default_runtime_folder();

/// The permission bits that new files of this process lack; 0 on Windows, which has none.
std::int64_t file_mask();

// Files.

/// Makes a folder of this user's alone where there is none.
/// Throws Error (runtime_unsafe): it cannot be, is a link or no folder, or others could reach it.
void make_private_dir(const std::filesystem::path& path);

/// A file of this user's alone, its first `most` bytes; nothing where there is no file.
/// Throws Error (runtime_unsafe): it is a link, cannot be read, or others could reach it.
std::optional<std::string> read_private(const std::filesystem::path& path, std::size_t most);

/// What tells one version of a file from the next.
struct FileFacts {
  bool regular = false;
  std::int64_t size = 0;
  std::uint64_t inode = 0;
  std::int64_t seconds = 0;  // of the last change
  std::int64_t nanoseconds = 0;
};

/// A file's or folder's facts; nothing where there is none. Follows links.
std::optional<FileFacts> facts_of(const std::filesystem::path& path);

/// A new file of this user's alone, mapped for writing, with all its space taken: with a hole in
/// it, a full disk would be a bus error in the host. Throws SystemError, and leaves no file.
std::byte* map_new(const std::filesystem::path& path, std::size_t nbytes);

/// Ends such a mapping; the file stays.
void unmap(std::byte* bytes, std::size_t nbytes);

/// Deletes a file, and does nothing where that cannot be.
void remove_file(const std::filesystem::path& path);

/// Fills `to` with `nbytes` of a file from `offset`; false where the file ends before.
/// Throws SystemError: it cannot be opened, or is a link.
bool read_at(const std::filesystem::path& path, std::int64_t offset, void* to, std::size_t nbytes);

// Libraries.

/// A function of the OpenGL that this process has loaded; null where it has none.
void* opengl_function(const char* name);

// Chance.

/// `count` random bytes of the system, as hexadecimal digits; at most 256.
/// Throws Error (output_unwritable): the system has none.
std::string random_hex(std::size_t count);

}  // namespace gvm::bridge
