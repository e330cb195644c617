// The run-time folder: where sockets, keys, the log and mapped pixels lie, private to one user.
//
// It is $GVM_RUNTIME_DIR, else $XDG_RUNTIME_DIR/gvm, else gvm-<uid> in the temporary folder, as in
// gvm_client/folders.py; it belongs to this user, mode 0700, and is no link.
#pragma once

#include <sys/stat.h>

#include <filesystem>

namespace gvm::bridge {

/// Where the folder is, whether it exists or not.
std::filesystem::path runtime_path();

/// The folder, made if it is not there. Throws Error (runtime_unsafe).
std::filesystem::path runtime_dir();

/// Its folder of mapped pixels, made if it is not there. Throws Error (runtime_unsafe).
std::filesystem::path pixels_dir();

/// Checks that a file or folder is this user's and closed to others. Throws Error
/// (runtime_unsafe).
void check_private(const std::filesystem::path& path, const struct stat& status);

}  // namespace gvm::bridge
