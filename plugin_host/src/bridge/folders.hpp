// The run-time folder: where sockets, keys, the log and mapped pixels lie, private to one user.
//
// It is $GVM_RUNTIME_DIR, else $XDG_RUNTIME_DIR/gvm, else the system's default, as in
// gvm_client/folders.py; it is this user's alone, and no link.
#pragma once

#include <filesystem>

namespace gvm::bridge {

/// Where the folder is, whether it exists or not.
std::filesystem::path runtime_path();

/// The folder, made if it is not there. Throws Error (runtime_unsafe).
std::filesystem::path runtime_dir();

/// Its folder of mapped pixels, made if it is not there. Throws Error (runtime_unsafe).
std::filesystem::path pixels_dir();

}  // namespace gvm::bridge
