#include "bridge/launcher.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "bridge/client.hpp"
#include "bridge/runtime.hpp"
#include "bridge/tables.hpp"

extern char** environ;

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

constexpr double kRivalSeconds = 2.0;  // a server that took the lock listens within milliseconds
constexpr int kStarts = 3;             // of a server that is killed while it starts
constexpr int kPingMs = 500;
constexpr std::size_t kTailLines = 12;


/// The servers that this process started: somebody must wait for a child, or it stays a zombie.
class Children {
 public:
  void add(pid_t child) {
    const std::lock_guard lock(mutex_);
    pids_.push_back(child);
  }

  /// Forgets those that have ended; true where `child` is one that still runs.
  bool runs(pid_t child) {
    const std::lock_guard lock(mutex_);
    const auto has_ended = [this](pid_t pid) {
      int status = 0;
      const bool ended = waitpid(pid, &status, WNOHANG) != 0;
      if (ended && WIFSIGNALED(status)) killed_ = pid;
      return ended;
    };
    pids_.erase(std::remove_if(pids_.begin(), pids_.end(), has_ended), pids_.end());
    return std::find(pids_.begin(), pids_.end(), child) != pids_.end();
  }

  /// Whether a signal ended it; asked after `runs` said that it has ended.
  bool was_killed(pid_t child) {
    const std::lock_guard lock(mutex_);
    return killed_ == child;
  }

 private:
  std::mutex mutex_;
  std::vector<pid_t> pids_;
  pid_t killed_ = 0;  // the last one
};

Children& children() {
  static Children known;
  return known;
}

fs::path config_path() {
  const char* base = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  const fs::path folder = base && *base ? fs::path(base) : fs::path(home ? home : "/") / ".config";
  return folder / "gvm" / "server.json";
}

struct Boot {
  pid_t pid;
  fs::path log;
  std::uintmax_t log_start;
  Clock::time_point deadline = after(kStartSeconds);

  std::string tail() const {
    std::ifstream file(log);
    file.seekg(static_cast<std::streamoff>(log_start));
    std::deque<std::string> lines;
    for (std::string line; std::getline(file, line);) {
      lines.push_back(line);
      if (lines.size() > kTailLines) lines.pop_front();
    }
    std::string text;
    for (const std::string& line : lines) text += "\n" + line;
    return text;
  }

  Error failed(const std::string& how) const {
    return {code::kServerStartFailed,
            "The GVM server " + how + ". Its log " + log.string() + " ends with:" + tail() + "\n",
            "Mend what it says there, or run `gvm doctor`."};
  }
};

std::timed_mutex starting;  // one thread starts a server, the others wait for it
// The server that was started last, where nobody waited until it answered; guarded by `starting`.
std::optional<Boot> unanswered;

std::map<std::string, std::string> variables() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) all[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return all;
}

std::vector<std::string> server_environment() {
  std::map<std::string, std::string> kept =
      scrubbed(variables(), read_server_file(config_path()).environment);
  kept["GVM_RUNTIME_DIR"] = runtime_path().string();
  std::vector<std::string> entries;
  for (const auto& [name, text] : kept) entries.push_back(name + "=" + text);
  return entries;
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
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd", ignored)) {
    const int number = std::atoi(entry.path().filename().c_str());
    if (number > 2) posix_spawn_file_actions_addclose(&actions, number);
  }
}

void set_signals(posix_spawnattr_t& attributes) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

Boot boot(const fs::path& folder) {
  std::vector<std::string> command = server_command();
  std::vector<std::string> environment = server_environment();
  Boot boot{0, folder / "server.log", 0};
  std::error_code missing;
  const std::uintmax_t length = fs::file_size(boot.log, missing);
  if (!missing && length > kMaxLogBytes) fs::rename(boot.log, folder / "server.log.1", missing);
  boot.log_start = fs::exists(boot.log) ? length : 0;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  set_files(actions, boot.log);
  set_signals(attributes);
  const int refused = posix_spawnp(&boot.pid, command[0].c_str(), &actions, &attributes,
                                   pointers(command).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (refused) {
    throw Error(
        code::kServerStartFailed,
        "The server's command `" + command[0] + "` cannot be run: " + std::strerror(refused) + ".",
        "Correct GVM_SERVER or " + config_path().string() + ".");
  }
  children().add(boot.pid);
  return boot;
}

std::optional<Connection> answering(const fs::path& folder, const Watch& watch) {
  std::optional<Connection> connection = read_connection(folder);
  if (!connection) return std::nullopt;
  Client client(*connection);
  const std::optional<Message> answer = client.ask(Ping{}, kPingMs, watch);
  return answer && std::holds_alternative<Pong>(*answer) ? connection : std::nullopt;
}

void pause(const Watch& watch) {
  watch.check();
  std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
}

Connection come_up(const fs::path& folder, Boot& booting, const Watch& watch) {
  bool ended = false;
  int starts = 1;
  while (Clock::now() < booting.deadline) {
    if (auto connection = answering(folder, watch)) return *connection;
    if (!ended && !children().runs(booting.pid)) {
      if (children().was_killed(booting.pid) && starts++ < kStarts) {
        booting = boot(folder);
        continue;
      }
      ended = true;  // another client's server may have been faster
      booting.deadline = after(kRivalSeconds);
    }
    pause(watch);
  }
  if (ended) throw booting.failed("ended at once");
  kill(booting.pid, SIGTERM);
  throw booting.failed("did not come up within " + in_seconds(kStartSeconds));
}

/// Starts a server, or waits on for the one that is coming up.
Connection start(const fs::path& folder, const Watch& watch) {
  if (!unanswered || !children().runs(unanswered->pid)) unanswered = boot(folder);
  try {
    const Connection connection = come_up(folder, *unanswered, watch);
    unanswered.reset();
    return connection;
  } catch (const Aborted&) {
    throw;
  } catch (const Error& error) {
    if (error.code() != code::kTimedOut) {
      unanswered.reset();
      throw;
    }
    throw Error(code::kTimedOut,
                "The GVM server did not come up within " + in_seconds(watch.seconds) +
                    ", the node's time-out; it is still starting.",
                "Render again in a while, or raise the time-out. Its log is " +
                    unanswered->log.string() + ".");
  }
}

}  // namespace

Connection ensure_server(bool may_start, const Watch& watch) {
  const fs::path folder = runtime_dir();
  children().runs(0);
  if (auto connection = read_connection(folder)) return *connection;
  if (!may_start) {
    throw Error(code::kServerNotRunning, "No GVM server runs.",
                "Start one with `gvm serve`, or switch on the node's Start Automatically.");
  }
  std::unique_lock lock(starting, std::defer_lock);
  while (!lock.try_lock_for(std::chrono::milliseconds(kPollMs))) watch.check();
  if (auto connection = read_connection(folder)) return *connection;
  return start(folder, watch);
}

std::vector<std::string> server_command() {
  const char* chosen = std::getenv("GVM_SERVER");
  if (chosen && *chosen) {
    std::vector<std::string> words = split_words(chosen);
    if (!words.empty()) return words;
  }
  const fs::path configured = config_path();
  ServerFile file = read_server_file(configured);
  if (!file.command.empty()) return file.command;
  throw Error(code::kServerStartFailed,
              "No GVM server is named: " + configured.string() +
                  " names none and GVM_SERVER is not set.",
              "Run `gvm install ofx`, which writes that file.");
}

Variables scrubbed(const Variables& environment, const Variables& own) {
  Variables kept;
  for (const auto& [name, text] : environment) {
    const std::string& word = name;  // a structured binding cannot be captured in C++17
    const bool one = std::find(kScrubbed.begin(), kScrubbed.end(), word) != kScrubbed.end();
    const bool many = std::any_of(kScrubbedPrefixes.begin(), kScrubbedPrefixes.end(),
                                  [&](const char* begin) { return word.rfind(begin, 0) == 0; });
    if (!one && !many) kept[name] = text;
  }
  for (const auto& [name, text] : own) kept[name] = text;
  return kept;
}

std::vector<std::string> split_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char letter = line[at];
    const bool blank = letter == ' ' || letter == '\t' || letter == '\n';
    if (!quote && blank) {
      if (inside) words.push_back(word);
      word.clear();
      inside = false;
      continue;
    }
    inside = true;
    if (letter == quote) {
      quote = 0;
    } else if (!quote && (letter == '\'' || letter == '"')) {
      quote = letter;
    } else if (letter == '\\' && quote != '\'' && at + 1 < line.size()) {
      word += line[++at];
    } else {
      word += letter;
    }
  }
  if (inside) words.push_back(word);
  return words;
}

}  // namespace gvm::bridge
