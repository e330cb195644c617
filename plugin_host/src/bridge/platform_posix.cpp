// Linux and macOS.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <sstream>

#include "bridge/errors.hpp"
#include "bridge/platform.hpp"
#include "bridge/text.hpp"

#ifdef __APPLE__
#include <libproc.h>
#include <sys/proc.h>
#else
#include <sys/random.h>
#endif

extern char** environ;

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

/// Closes a file at the end of its block.
struct File {
  int number;
  ~File() {
    if (number >= 0) close(number);
  }
};

SystemError refused(int reason) {
  return {std::strerror(reason), reason == ENOSPC || reason == EDQUOT};
}

bool takes_signals(std::int64_t pid) {
  return kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM;
}

void check_private(const fs::path& path, const struct stat& status) {
  if (status.st_uid != geteuid()) {
    throw unsafe_path(path, "belongs to user " + std::to_string(status.st_uid),
                      "Set GVM_RUNTIME_DIR to a folder of your own.");
  }
  if (status.st_mode & 077) {
    throw unsafe_path(path, "is open to other users",
                      "Close it with `chmod go= " + path.u8string() + "`.");
  }
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

/// Standard streams to the log, every other file of the host closed.
void set_files(posix_spawn_file_actions_t& actions, const fs::path& log) {
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  std::error_code ignored;  // macOS has no such folder, and closes them by itself (below)
  for (const auto& entry : fs::directory_iterator("/proc/self/fd", ignored)) {
    const int number = std::atoi(entry.path().filename().c_str());
    if (number > 2) posix_spawn_file_actions_addclose(&actions, number);
  }
}

#ifdef __APPLE__
constexpr short kCloseOthers = POSIX_SPAWN_CLOEXEC_DEFAULT;
constexpr char kOpenGl[] = "/System/Library/Frameworks/OpenGL.framework/OpenGL";
#else
constexpr short kCloseOthers = 0;
constexpr char kOpenGl[] = "libGL.so.1";
#endif

void set_signals(posix_spawnattr_t& attributes) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF | kCloseOthers);
}

/// Gives an open, empty file its size and its space; an errno, or 0.
int take_space(int file, std::size_t nbytes) {
#ifdef __APPLE__
  fstore_t wanted{F_ALLOCATEALL, F_PEOFPOSMODE, 0, static_cast<off_t>(nbytes), 0};
  const bool taken = fcntl(file, F_PREALLOCATE, &wanted) == 0 &&
                     ftruncate(file, static_cast<off_t>(nbytes)) == 0;
  return taken ? 0 : errno;
#else
  return posix_fallocate(file, 0, static_cast<off_t>(nbytes));
#endif
}

/// Whether the system gave them. Not std::random_device, which would need a newer glibc than
/// studios have.
bool fill_random(void* bytes, std::size_t count) {
#ifdef __APPLE__
  arc4random_buf(bytes, count);
  return true;
#else
  return getrandom(bytes, count, 0) == static_cast<ssize_t>(count);
#endif
}

}  // namespace

std::int64_t process_id() { return getpid(); }

#ifdef __APPLE__
bool is_alive(std::int64_t pid, std::int64_t started) {
  proc_bsdinfo info{};
  const int size = sizeof info;
  // Of another user's process nothing is told.
  if (proc_pidinfo(static_cast<int>(pid), PROC_PIDTBSDINFO, 0, &info, size) != size) {
    return takes_signals(pid);
  }
  if (info.pbi_status == SZOMB) return false;
  const auto begun = static_cast<std::int64_t>(info.pbi_start_tvsec * 1000000 +
                                               info.pbi_start_tvusec);
  return started == 0 || started == begun;
}
#else
bool is_alive(std::int64_t pid, std::int64_t started) {
  constexpr int kStateField = 0;
  constexpr int kStartField = 19;  // counted after the name, which may itself hold spaces
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
#endif

Child spawn(const std::vector<std::string>& words, const std::vector<std::string>& environment,
            const fs::path& log) {
  std::vector<std::string> command = words, variables = environment;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  set_files(actions, log);
  set_signals(attributes);
  pid_t child = 0;
  const int reason = posix_spawnp(&child, command[0].c_str(), &actions, &attributes,
                                  pointers(command).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (reason) throw refused(reason);
  return child;
}

ChildState state_of(Child child) {
  int status = 0;
  if (waitpid(static_cast<pid_t>(child), &status, WNOHANG) == 0) return ChildState::kRuns;
  return WIFSIGNALED(status) ? ChildState::kKilled : ChildState::kEnded;
}

void end_child(Child child) { kill(static_cast<pid_t>(child), SIGTERM); }

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::vector<std::string> environment() {
  std::vector<std::string> all;
  for (char** entry = environ; entry && *entry; ++entry) all.emplace_back(*entry);
  return all;
}

bool backslash_escapes() { return true; }

std::string home_folder() { return variable("HOME"); }

fs::path default_runtime_folder() {
#ifdef __APPLE__
  // The temporary folder is cleared of what nobody has used for some days.
  if (const std::string home = home_folder(); !home.empty()) {
    return fs::path(home) / "Library" / "Caches" / "gvm-run";
  }
#endif
  fs::path folder = "/tmp";
  for (const char* name : {"TMP", "TEMP", "TMPDIR"}) {  // Python's tempfile, the last one first
    if (const std::string chosen = variable(name); !chosen.empty()) folder = chosen;
  }
  return folder / ("gvm-" + std::to_string(geteuid()));
}

std::int64_t file_mask() {
  // Linux says it; elsewhere it can only be read by setting it, for the whole process.
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

void make_private_dir(const fs::path& path) {
  std::error_code ignored;  // lstat below reports what is wrong
  fs::create_directories(path.parent_path(), ignored);
  struct stat status {};
  const bool made = mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
  if (!made || lstat(path.c_str(), &status) != 0) {
    throw unsafe_path(path, std::string("cannot be made (") + std::strerror(errno) + ")",
                      "Set GVM_RUNTIME_DIR to a folder of your own on a local disk.");
  }
  if (!S_ISDIR(status.st_mode)) {
    throw unsafe_path(path, "is no folder", "Delete it, or set GVM_RUNTIME_DIR to a real folder.");
  }
  check_private(path, status);
}

std::optional<std::string> read_private(const fs::path& path, std::size_t most) {
  const File file{open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  if (file.number < 0 && errno == ENOENT) return std::nullopt;
  struct stat status {};
  if (file.number < 0 || fstat(file.number, &status) != 0) {
    throw unsafe_path(path, "cannot be opened", "Delete it, then try again.");
  }
  check_private(path, status);
  std::string text(most, '\0');
  const ssize_t count = read(file.number, text.data(), text.size());
  if (count < 0) throw unsafe_path(path, "cannot be read", "Delete it, then try again.");
  text.resize(static_cast<std::size_t>(count));
  return text;
}

std::optional<FileFacts> facts_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
#ifdef __APPLE__
  const timespec& changed = status.st_mtimespec;
#else
  const timespec& changed = status.st_mtim;
#endif
  return FileFacts{S_ISREG(status.st_mode), status.st_size, status.st_ino, changed.tv_sec,
                   changed.tv_nsec};
}

std::byte* map_new(const fs::path& path, std::size_t nbytes) {
  const File file{open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (file.number < 0) throw refused(errno);
  int reason = take_space(file.number, nbytes);
  void* bytes = nullptr;
  if (!reason) {
    bytes = mmap(nullptr, nbytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.number, 0);
    if (bytes == MAP_FAILED) reason = errno;
  }
  if (reason) {
    unlink(path.c_str());
    throw refused(reason);
  }
  return static_cast<std::byte*>(bytes);
}

void unmap(std::byte* bytes, std::size_t nbytes) { munmap(bytes, nbytes); }

void remove_file(const fs::path& path) { unlink(path.c_str()); }

bool read_at(const fs::path& path, std::int64_t offset, void* to, std::size_t nbytes) {
  const File file{open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  if (file.number < 0) throw refused(errno);
  auto* next = static_cast<char*>(to);
  auto at = static_cast<off_t>(offset);
  for (std::size_t left = nbytes; left > 0;) {
    const ssize_t count = pread(file.number, next, left, at);
    if (count <= 0) return false;
    next += count;
    at += count;
    left -= static_cast<std::size_t>(count);
  }
  return true;
}

void* opengl_function(const char* name) {
  static void* const own = dlopen(kOpenGl, RTLD_LAZY | RTLD_NOLOAD);
  void* const global = dlsym(RTLD_DEFAULT, name);
  return global || !own ? global : dlsym(own, name);
}

std::string random_hex(std::size_t count) {
  std::string bytes(count, '\0');
  if (!fill_random(bytes.data(), count)) {
    throw Error(code::kOutputUnwritable, "The system gives no random numbers.");
  }
  return hexadecimal(bytes);
}

}  // namespace gvm::bridge
