// A connection to the server over ZeroMQ: a work socket and a control socket, CURVE on both.
//
// Every wait is bounded by its caller; closing never waits (LINGER 0). One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bridge/cancel_token.hpp"
#include "bridge/connection.hpp"
#include "bridge/messages.hpp"

namespace gvm::bridge {

class Client {
 public:
  /// Throws Error (server_lost): ZeroMQ refuses.
  explicit Client(const Connection& connection);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Sends on the work socket; false where the server does not take it within the time.
  bool send(const Message& message, const std::string& request, int milliseconds);

  /// The next message on the work socket, or nothing within the time. Throws Error: server_lost,
  /// or what `decode` throws.
  std::optional<Envelope> receive(int milliseconds);

  /// The answer to a question on the control socket; nothing where none comes within the time.
  std::optional<Message> request(const Message& question, int milliseconds,
                                 const CancelToken& token = {});

 private:
  class Socket;
  struct Sockets;
  std::unique_ptr<Sockets> sockets_;
};

/// What the running server is doing, in one line for a node; "No server runs." where none does.
///
/// Starts no server, and waits a second at most. Throws Error: runtime_unsafe, version_mismatch,
/// server_lost (it does not answer).
std::string status_line();

}  // namespace gvm::bridge
