#include "bridge/connection.hpp"

#include <nlohmann/json.hpp>

#include "bridge/errors.hpp"
#include "bridge/messages.hpp"
#include "bridge/platform.hpp"

namespace gvm::bridge {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::size_t kFields = 10;

Error damaged(const fs::path& path) {
  return {
      code::kServerNotRunning,
      "No server can be found: " + path.u8string() + " is not a connection file of this program.",
      "Delete it, then start the server with `gvm serve`."};
}

Connection connection_of(const Json& plain) {
  Connection connection;
  plain.at("protocol").get_to(connection.protocol);
  plain.at("version").get_to(connection.version);
  plain.at("pid").get_to(connection.pid);
  plain.at("started").get_to(connection.started);
  plain.at("work").get_to(connection.work);
  plain.at("control").get_to(connection.control);
  plain.at("server_public_key").get_to(connection.server_public_key);
  plain.at("client_public_key").get_to(connection.client_public_key);
  plain.at("client_secret_key").get_to(connection.client_secret_key);
  plain.at("log").get_to(connection.log);
  return connection;
}

}  // namespace

std::optional<Connection> read_connection(const fs::path& folder) {
  const fs::path path = folder / "connection.json";
  const std::optional<std::string> text = read_private(path, kMaxConnectionBytes + 1);
  if (!text) return std::nullopt;
  if (text->size() > kMaxConnectionBytes) throw damaged(path);
  try {
    const Json plain = Json::parse(*text);
    const auto pid = plain.at("pid").get<std::int64_t>();
    if (!is_alive(pid, plain.at("started").get<std::int64_t>())) return std::nullopt;
    const auto protocol = plain.at("protocol").get<std::int64_t>();
    if (protocol != kProtocolVersion) {
      throw Error(code::kVersionMismatch,
                  "The running server (process " + std::to_string(pid) +
                      ") speaks protocol version " + std::to_string(protocol) +
                      "; this plug-in speaks " + std::to_string(kProtocolVersion) + ".",
                  "End the server, or update the plug-in, so that both are of one release.");
    }
    if (plain.size() != kFields) throw damaged(path);
    return connection_of(plain);
  } catch (const Json::exception&) {
    throw damaged(path);
  }
}

}  // namespace gvm::bridge
