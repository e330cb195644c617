#include "bridge/status.hpp"

#include <algorithm>

#include "bridge/client.hpp"
#include "bridge/errors.hpp"
#include "bridge/plural.hpp"
#include "bridge/runtime.hpp"

namespace gvm::bridge {
namespace {

constexpr int kPatienceMs = 1000;

bool is_live(const JobSummary& job) {
  return job.state == "asked" || job.state == "accepted" || job.state == "running";
}

}  // namespace

std::string status_line() {
  const std::optional<Connection> connection = read_connection(runtime_dir());
  if (!connection) return "No server runs.";
  Client client(*connection);
  const std::optional<Message> answer = client.ask(Status{}, kPatienceMs);
  const ServerStatus* status = answer ? std::get_if<ServerStatus>(&*answer) : nullptr;
  if (!status) {
    throw Error(
        code::kServerLost,
        "The GVM server (process " + std::to_string(connection->pid) + ") does not answer.",
        "See its log " + connection->log + ".");
  }
  const auto live = std::count_if(status->jobs.begin(), status->jobs.end(), is_live);
  const std::string engine =
      status->engine_loaded.empty() ? "no model loaded" : status->engine_loaded + " loaded";
  return "Server " + status->version + " (process " + std::to_string(status->pid) + ") on " +
         status->device + ", " + engine + ", " + counted(live, "job") + ".";
}

}  // namespace gvm::bridge
