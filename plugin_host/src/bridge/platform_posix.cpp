#include <signal.h>
#include <sys/random.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "bridge/errors.hpp"
#include "bridge/platform.hpp"

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

std::string random_hex(std::size_t count) {
  std::string bytes(count, '\0');
  // Not std::random_device, which would need a newer glibc than studios have.
  if (getrandom(bytes.data(), count, 0) != static_cast<ssize_t>(count)) {
    throw Error(code::kOutputUnwritable, "The system gives no random numbers.");
  }
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace gvm::bridge
