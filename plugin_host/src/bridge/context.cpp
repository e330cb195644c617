#include "bridge/context.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>

#include "bridge/variables.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string whole(const fs::path& path) { return fs::absolute(path).lexically_normal(); }

/// A path whose first part is `~` in the user's home folder.
fs::path expanded(const std::string& path) {
  const bool home = path == "~" || path.rfind("~/", 0) == 0;
  return home ? variable("HOME") + path.substr(1) : path;
}

/// Linux says it; elsewhere it can only be read by setting it, for the whole process.
std::int64_t read_umask() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Umask:", 0) == 0) return std::strtol(line.c_str() + 6, nullptr, 8) & 0777;
  }
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const mode_t mask = ::umask(077);
  ::umask(mask);
  return mask & 0777;
}

}  // namespace

JobContext job_context() {
  JobContext context;
  const std::string ocio = variable("OCIO");
  const std::string weights = variable("GVM_WEIGHTS");
  const bool named = ocio.find("://") != std::string::npos;
  context.ocio = ocio.empty() || named ? ocio : whole(ocio);
  context.ocio_variables = variables_used(context.ocio);
  context.weights = weights.empty() ? "" : whole(expanded(weights));
  context.umask = read_umask();
  return context;
}

}  // namespace gvm::bridge
