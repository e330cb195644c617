#include "bridge/process.hpp"

#include <signal.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

namespace gvm::bridge {
namespace {

constexpr int kStateField = 0;
constexpr int kStartField = 19;  // counted after the name, which may itself hold spaces

bool takes_signals(std::int64_t pid) {
  return kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM;
}

}  // namespace

bool is_alive(std::int64_t pid, std::int64_t started) {
  std::ifstream self("/proc/self/stat");
  if (!self) return takes_signals(pid);
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return false;
  std::istringstream rest(text.substr(text.rfind(')') + 1));
  std::string word;
  for (int field = kStateField; rest >> word; ++field) {
    if (field == kStateField && (word == "Z" || word == "X")) return false;
    if (field == kStartField) return started == 0 || word == std::to_string(started);
  }
  return false;
}

}  // namespace gvm::bridge
