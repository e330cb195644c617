#include "bridge/session.hpp"

#include "bridge/client.hpp"
#include "bridge/launcher.hpp"
#include "bridge/platform.hpp"

namespace gvm::bridge {
namespace {

constexpr double kLookSeconds = 0.25;  // how often a silent server's process is looked at
constexpr int kAttempts = 3;           // servers that are asked to take a job
constexpr int kRecoveries = 1;         // servers that may die of it: another is asked
constexpr int kCancelMs = 100;         // an aborted render may wait so long for `ok`

Error lost(const Connection& connection, const std::string& how) {
  return {code::kServerLost,
          "The GVM server (process " + std::to_string(connection.pid) + ") " + how + ".",
          "Render again: what was finished is kept." +
              (connection.log.empty() ? "" : " Its log is " + connection.log + ".")};
}

class JobSession {
 public:
  JobSession(const Matte& request, const JobHandler& handler, const Connection& connection,
             const CancelToken& token)
      : request_(request),
        handler_(handler),
        connection_(connection),
        token_(token),
        client_(connection) {}

  ~JobSession() { cancel(); }  // no job goes on without its render
  JobSession(const JobSession&) = delete;
  JobSession& operator=(const JobSession&) = delete;

  bool accepted() const { return accepted_; }

  void run() {
    send(request_);
    while (!over_) {
      token_.check();
      receive();
    }
  }

 private:
  void send(const Message& message) {
    const Clock::time_point deadline = after(kSilenceSeconds);
    while (!client_.send(message, request_.job, kPollMs)) {
      token_.check();
      check_life();
      if (Clock::now() > deadline) throw lost(connection_, "takes no messages");
    }
  }

  void receive() {
    const std::optional<Envelope> envelope = client_.receive(kPollMs);
    if (envelope && envelope->request == request_.job) {
      heard_ = Clock::now();
      std::visit([this](const auto& message) { on(message); }, envelope->message);
      return;
    }
    check_life();
    if (Clock::now() - heard_ > std::chrono::duration<double>(kSilenceSeconds)) {
      throw lost(connection_, "has been silent for " + in_seconds(kSilenceSeconds));
    }
  }

  void check_life() {
    if (Clock::now() - looked_ < std::chrono::duration<double>(kLookSeconds)) return;
    looked_ = Clock::now();
    if (!is_alive(connection_.pid, connection_.started)) throw lost(connection_, "has died");
  }

  void on(const Accepted& message) {
    accepted_ = true;
    handler_.accepted(message);
  }
  void on(const Progress&) {}  // a heartbeat: any message counts as one
  void on(const NeedFrames& message) {
    check_accepted();
    handler_.need(message, [this](const GiveFrames& given) { send(given); });
    heard_ = Clock::now();  // the frames took this side's time, not the server's
  }
  void on(const FrameReady& message) {
    check_accepted();
    if (!message.mapped) {
      throw Error(code::kMalformed, "The server made a file where pixels were asked for.");
    }
    handler_.ready(message);
  }
  void on(const Done&) {
    check_accepted();
    over_ = true;
  }
  void on(const Failed& message) {
    over_ = true;
    throw Error(message.code.word, message.message, message.remedy);
  }
  void on(const Cancelled& message) {
    over_ = true;
    throw Error(code::kCancelled, "The job was cancelled. " + message.reason, "Render again.");
  }
  template <class T>
  void on(const T&) {
    throw Error(code::kIllegalMove, "The server answered with what fits no question.");
  }

  void check_accepted() const {
    if (!accepted_) {
      throw Error(code::kIllegalMove, "The server went on before it had accepted the job.");
    }
  }

  void cancel() {
    if (over_) return;
    try {
      client_.request(Cancel{request_.job}, kCancelMs);
    } catch (const Error&) {
      // The server sees that we have gone: an interactive job ends with its client.
    }
  }

  const Matte& request_;
  const JobHandler& handler_;
  const Connection& connection_;
  const CancelToken& token_;
  Client client_;
  Clock::time_point heard_ = Clock::now();
  Clock::time_point looked_ = Clock::now();
  bool accepted_ = false;
  bool over_ = false;
};

}  // namespace

void run_job(const Matte& request, const JobHandler& handler, const MatteOptions& options,
             const CancelToken& token) {
  int recoveries = 0;
  for (int attempt = 1;; ++attempt) {
    Matte asked = request;
    // A server that is only silent may still have the job: pixels belong to one client.
    if (attempt > 1) asked.job = random_hex(16);
    const Connection connection = ensure_server(options.may_start_server, token);
    JobSession session(asked, handler, connection, token);
    try {
      return session.run();
    } catch (const Error& error) {
      // A server that leaves takes no job: the next one does. What a dead one had finished is
      // kept.
      recoveries += session.accepted() ? 1 : 0;
      const bool again = error.code() == code::kServerLost && recoveries <= kRecoveries;
      if (!again || attempt == kAttempts || !options.may_start_server) throw;
    }
  }
}

}  // namespace gvm::bridge
