#include "bridge/folders.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "bridge/errors.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

Error unsafe(const fs::path& path, const std::string& why, const std::string& remedy) {
  return {code::kRuntimeUnsafe, "The run-time path " + path.string() + " " + why + ".", remedy};
}

const char* set_variable(const char* name) {
  const char* value = std::getenv(name);
  return value && *value ? value : nullptr;
}

/// Python's tempfile: the first of these that is set, else /tmp.
fs::path temporary_folder() {
  for (const char* name : {"TMPDIR", "TEMP", "TMP"}) {
    if (const char* value = set_variable(name)) return value;
  }
  return "/tmp";
}

fs::path private_dir(const fs::path& path) {
  std::error_code ignored;  // lstat below reports what is wrong
  fs::create_directories(path.parent_path(), ignored);
  struct stat status {};
  const bool made = mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
  if (!made || lstat(path.c_str(), &status) != 0) {
    throw unsafe(path, std::string("cannot be made (") + std::strerror(errno) + ")",
                 "Set GVM_RUNTIME_DIR to a folder of your own on a local disk.");
  }
  if (!S_ISDIR(status.st_mode)) {
    throw unsafe(path, "is no folder", "Delete it, or set GVM_RUNTIME_DIR to a real folder.");
  }
  check_private(path, status);
  return path;
}

}  // namespace

fs::path runtime_path() {
  if (const char* chosen = set_variable("GVM_RUNTIME_DIR")) return fs::absolute(chosen);
  if (const char* session = set_variable("XDG_RUNTIME_DIR")) return fs::absolute(session) / "gvm";
  return temporary_folder() / ("gvm-" + std::to_string(geteuid()));
}

fs::path runtime_dir() { return private_dir(runtime_path()); }
fs::path pixels_dir() { return private_dir(runtime_dir() / "pixels"); }

void check_private(const fs::path& path, const struct stat& status) {
  if (status.st_uid != geteuid()) {
    throw unsafe(path, "belongs to user " + std::to_string(status.st_uid),
                 "Set GVM_RUNTIME_DIR to a folder of your own.");
  }
  if (status.st_mode & 077) {
    throw unsafe(path, "is open to other users",
                 "Close it with `chmod go= " + path.string() + "`.");
  }
}

}  // namespace gvm::bridge
