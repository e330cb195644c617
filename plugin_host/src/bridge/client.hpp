// One conversation with the server over ZeroMQ: a work socket and a control socket, CURVE on both.
//
// Every wait is bounded by its caller; closing never waits (LINGER 0). One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bridge/connection.hpp"
#include "bridge/messages.hpp"
#include "bridge/watch.hpp"

namespace gvm::bridge {

class Client {
 public:
  /// Throws Error (server_lost): ZeroMQ refuses.
  explicit Client(const Connection& connection);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Says something on the work socket, if the server takes it within the time; false if not.
  bool say(const Message& message, const std::string& request, int milliseconds);

  /// The next message on the work socket, or nothing within the time. Throws Error: server_lost,
  /// or what `decode` throws.
  std::optional<Envelope> hear(int milliseconds);

  /// Asks on the control socket; nothing where no answer comes within the time.
  std::optional<Message> ask(const Message& question, int milliseconds, const Watch& watch = {});

 private:
  struct Sockets;
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace gvm::bridge
