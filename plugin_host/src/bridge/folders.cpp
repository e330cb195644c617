#include "bridge/folders.hpp"

#include "bridge/platform.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

fs::path private_dir(const fs::path& path) {
  make_private_dir(path);
  return path;
}

}  // namespace

fs::path runtime_path() {
  if (const std::string chosen = variable("GVM_RUNTIME_DIR"); !chosen.empty()) {
    return fs::absolute(fs::u8path(chosen));
  }
  if (const std::string session = variable("XDG_RUNTIME_DIR"); !session.empty()) {
    return fs::absolute(fs::u8path(session)) / "gvm";
  }
  return default_runtime_folder();
}

fs::path runtime_dir() { return private_dir(runtime_path()); }
fs::path pixels_dir() { return private_dir(runtime_dir() / "pixels"); }

}  // namespace gvm::bridge
