// The connection file: how a client finds the server, and the keys that let it in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace gvm::bridge {

/// A server's process, endpoints and keys (Z85 text).
struct Connection {
  std::int64_t protocol = 0;
  std::string version;
  std::int64_t pid = 0;
  std::int64_t started = 0;
  std::string work;
  std::string control;
  std::string server_public_key;
  std::string client_public_key;
  std::string client_secret_key;
  std::string log;
};

/// The connection file of the server that runs in a run-time folder; nothing where none runs.
///
/// Throws Error: runtime_unsafe (others can read it), version_mismatch, or server_not_running (it
/// is damaged).
std::optional<Connection> read_connection(const std::filesystem::path& folder);

}  // namespace gvm::bridge
