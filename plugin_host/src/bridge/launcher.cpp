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
#include <mutex>
#include <optional>
#include <thread>

#include "bridge/client.hpp"
#include "bridge/folders.hpp"
#include "bridge/server_config.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

constexpr double kRivalSeconds = 2.0;  // a server that took the lock listens within milliseconds
constexpr int kStarts = 3;             // of a server that is killed while it starts
constexpr int kPingMs = 500;
constexpr std::size_t kTailLines = 12;

/// The servers that this process started: a child that ended stays a zombie until waitpid.
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

/// A server that was started and does not answer yet.
struct Launch {
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

std::timed_mutex start_mutex;  // one thread starts a server, the others wait for it
// The server that was started last, if it has not answered yet; guarded by `start_mutex`.
std::optional<Launch> unanswered;

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

Launch launch(const fs::path& folder) {
  std::vector<std::string> command = server_command();
  std::vector<std::string> environment = server_environment();
  Launch launched{0, folder / "server.log", 0};
  std::error_code missing;
  const std::uintmax_t length = fs::file_size(launched.log, missing);
  if (!missing && length > kMaxLogBytes)
    fs::rename(launched.log, folder / "server.log.1", missing);
  launched.log_start = fs::exists(launched.log) ? length : 0;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  set_files(actions, launched.log);
  set_signals(attributes);
  const int refused = posix_spawnp(&launched.pid, command[0].c_str(), &actions, &attributes,
                                   pointers(command).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (refused) {
    throw Error(
        code::kServerStartFailed,
        "The server's command `" + command[0] + "` cannot be run: " + std::strerror(refused) + ".",
        "Correct GVM_SERVER or " + server_file().string() + ".");
  }
  children().add(launched.pid);
  return launched;
}

std::optional<Connection> find_responding(const fs::path& folder, const CancelToken& token) {
  std::optional<Connection> connection = read_connection(folder);
  if (!connection) return std::nullopt;
  Client client(*connection);
  const std::optional<Message> answer = client.request(Ping{}, kPingMs, token);
  return answer && std::holds_alternative<Pong>(*answer) ? connection : std::nullopt;
}

void pause(const CancelToken& token) {
  token.check();
  std::this_thread::sleep_for(std::chrono::milliseconds(kPollMs));
}

Connection wait_until_ready(const fs::path& folder, Launch& launched, const CancelToken& token) {
  bool ended = false;
  int starts = 1;
  while (Clock::now() < launched.deadline) {
    if (auto connection = find_responding(folder, token)) return *connection;
    if (!ended && !children().runs(launched.pid)) {
      if (children().was_killed(launched.pid) && starts++ < kStarts) {
        launched = launch(folder);
        continue;
      }
      ended = true;  // another client's server may have been faster
      launched.deadline = after(kRivalSeconds);
    }
    pause(token);
  }
  if (ended) throw launched.failed("ended at once");
  kill(launched.pid, SIGTERM);
  throw launched.failed("did not come up within " + in_seconds(kStartSeconds));
}

/// Starts a server, or waits on for the one that is coming up.
Connection start(const fs::path& folder, const CancelToken& token) {
  if (!unanswered || !children().runs(unanswered->pid)) unanswered = launch(folder);
  try {
    const Connection connection = wait_until_ready(folder, *unanswered, token);
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
                "The GVM server did not come up within " + in_seconds(token.seconds) +
                    ", the node's time-out; it is still starting.",
                "Render again in a while, or raise the time-out. Its log is " +
                    unanswered->log.string() + ".");
  }
}

}  // namespace

Connection ensure_server(bool may_start, const CancelToken& token) {
  const fs::path folder = runtime_dir();
  children().runs(0);
  if (auto connection = read_connection(folder)) return *connection;
  if (!may_start) {
    throw Error(code::kServerNotRunning, "No GVM server runs.",
                "Start one with `gvm serve`, or switch on the node's Start Automatically.");
  }
  std::unique_lock lock(start_mutex, std::defer_lock);
  while (!lock.try_lock_for(std::chrono::milliseconds(kPollMs))) token.check();
  if (auto connection = read_connection(folder)) return *connection;
  return start(folder, token);
}

}  // namespace gvm::bridge
