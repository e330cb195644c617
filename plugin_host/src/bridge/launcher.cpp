#include "bridge/launcher.hpp"

#include <algorithm>
#include <deque>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include "bridge/client.hpp"
#include "bridge/folders.hpp"
#include "bridge/platform.hpp"
#include "bridge/server_config.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;

constexpr double kRivalSeconds = 2.0;  // a server that took the lock listens within milliseconds
constexpr int kStarts = 3;             // of a server that is killed while it starts
constexpr int kPingMs = 500;
constexpr std::size_t kTailLines = 12;

/// The servers that this process started: one that ended stays a zombie until it is asked for.
class Children {
 public:
  void add(Child child) {
    const std::lock_guard lock(mutex_);
    known_.push_back(child);
  }

  /// Forgets those that have ended; true where `child` is one that still runs.
  bool runs(Child child) {
    const std::lock_guard lock(mutex_);
    const auto has_ended = [this](Child one) {
      const ChildState state = state_of(one);
      if (state == ChildState::kKilled) killed_ = one;
      return state != ChildState::kRuns;
    };
    known_.erase(std::remove_if(known_.begin(), known_.end(), has_ended), known_.end());
    return std::find(known_.begin(), known_.end(), child) != known_.end();
  }

  /// Whether a signal ended it; asked after `runs` said that it has ended.
  bool was_killed(Child child) {
    const std::lock_guard lock(mutex_);
    return killed_ == child;
  }

 private:
  std::mutex mutex_;
  std::vector<Child> known_;
  Child killed_ = 0;  // the last one
};

Children& children() {
  static Children known;
  return known;
}

/// A server that was started and does not answer yet.
struct Launch {
  Child child;
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
            "The GVM server " + how + ". Its log " + log.u8string() + " ends with:" + tail() + "\n",
            "Mend what it says there, or run `gvm doctor`."};
  }
};

std::timed_mutex start_mutex;  // one thread starts a server, the others wait for it
// The server that was started last, if it has not answered yet; guarded by `start_mutex`.
std::optional<Launch> unanswered;

Launch launch(const fs::path& folder) {
  const std::vector<std::string> command = server_command();
  Launch launched{0, folder / "server.log", 0};
  std::error_code missing;
  const std::uintmax_t length = fs::file_size(launched.log, missing);
  if (!missing && length > kMaxLogBytes)
    fs::rename(launched.log, folder / "server.log.1", missing);
  launched.log_start = fs::exists(launched.log) ? length : 0;
  try {
    launched.child = spawn(command, server_environment(), launched.log);
  } catch (const SystemError& refused) {
    throw Error(
        code::kServerStartFailed,
        "The server's command `" + command[0] + "` cannot be run: " + refused.what() + ".",
        "Correct GVM_SERVER or " + server_file().u8string() + ".");
  }
  children().add(launched.child);
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
    if (!ended && !children().runs(launched.child)) {
      if (children().was_killed(launched.child) && starts++ < kStarts) {
        launched = launch(folder);
        continue;
      }
      ended = true;  // another client's server may have been faster
      launched.deadline = after(kRivalSeconds);
    }
    pause(token);
  }
  if (ended) throw launched.failed("ended at once");
  end_child(launched.child);
  throw launched.failed("did not come up within " + in_seconds(kStartSeconds));
}

/// Starts a server, or waits on for the one that is coming up.
Connection start(const fs::path& folder, const CancelToken& token) {
  if (!unanswered || !children().runs(unanswered->child)) unanswered = launch(folder);
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
                    unanswered->log.u8string() + ".");
  }
}

/// A server answers clients: none that was started is waited for any more, nor ended as too slow
/// when its process is seen again without a connection, as while it leaves.
void forget_unanswered() {
  const std::unique_lock lock(start_mutex, std::try_to_lock);
  if (lock) unanswered.reset();  // else somebody waits for it, and hears so too
}

}  // namespace

Connection ensure_server(bool may_start, const CancelToken& token) {
  const fs::path folder = runtime_dir();
  children().runs(0);
  if (auto connection = read_connection(folder)) {
    forget_unanswered();
    return *connection;
  }
  if (!may_start) {
    throw Error(code::kServerNotRunning, "No GVM server runs.",
                "Start one with `gvm serve`, or switch on the node's Start Automatically.");
  }
  std::unique_lock lock(start_mutex, std::defer_lock);
  while (!lock.try_lock_for(std::chrono::milliseconds(kPollMs))) token.check();
  if (auto connection = read_connection(folder)) {
    unanswered.reset();
    return *connection;
  }
  return start(folder, token);
}

}  // namespace gvm::bridge
