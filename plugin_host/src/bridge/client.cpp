#include "bridge/client.hpp"

#include <zmq.h>

#include <algorithm>

#include "bridge/errors.hpp"
#include "bridge/folders.hpp"
#include "bridge/platform.hpp"
#include "bridge/text.hpp"
#include "bridge/wire.hpp"

namespace gvm::bridge {
namespace {

constexpr int kStatusMs = 1000;

Error refused(const char* what) {
  return {code::kServerLost,
          std::string("The connection to the GVM server failed: ") + what + ": " +
              zmq_strerror(zmq_errno()) + ".",
          "Render again."};
}

void set(void* socket, int option, const std::string& value) {
  if (zmq_setsockopt(socket, option, value.data(), value.size()) != 0) throw refused("an option");
}

template <class Number>
void set_number(void* socket, int option, Number value) {
  if (zmq_setsockopt(socket, option, &value, sizeof value) != 0) throw refused("an option");
}

bool is_live(const JobSummary& job) {
  return job.state == "asked" || job.state == "accepted" || job.state == "running";
}

}  // namespace

class Client::Socket {
 public:
  Socket(void* context, const std::string& endpoint, const std::string& name,
         const Connection& connection)
      : socket_(zmq_socket(context, ZMQ_DEALER)) {
    if (!socket_) throw refused("no socket");
    try {
      prepare(name, connection);
      if (zmq_connect(socket_, endpoint.c_str()) != 0) throw refused("no way to the endpoint");
    } catch (const Error&) {
      zmq_close(socket_);
      throw;
    }
  }
  ~Socket() { zmq_close(socket_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool ready(short what, int milliseconds) const {
    zmq_pollitem_t item{socket_, 0, what, 0};
    return zmq_poll(&item, 1, milliseconds) > 0;
  }

  bool send(const std::string& bytes, int milliseconds) const {
    if (!ready(ZMQ_POLLOUT, milliseconds)) return false;
    return zmq_send(socket_, bytes.data(), bytes.size(), ZMQ_DONTWAIT) >= 0;
  }

  std::optional<Envelope> receive(int milliseconds) const {
    if (!ready(ZMQ_POLLIN, milliseconds)) return std::nullopt;
    zmq_msg_t message;
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, socket_, ZMQ_DONTWAIT) < 0) {
      zmq_msg_close(&message);
      return std::nullopt;
    }
    const std::string bytes(static_cast<const char*>(zmq_msg_data(&message)),
                            zmq_msg_size(&message));
    zmq_msg_close(&message);
    return decode(bytes);
  }

 private:
  /// The limits of gvm_client/client.py: libzmq's defaults have none and wait for ever.
  void prepare(const std::string& name, const Connection& connection) {
    set_number(socket_, ZMQ_LINGER, 0);
    set_number(socket_, ZMQ_MAXMSGSIZE, static_cast<std::int64_t>(kMaxMessageBytes));
    set_number(socket_, ZMQ_SNDHWM, kHighWaterMark);
    set_number(socket_, ZMQ_RCVHWM, kHighWaterMark);
    set_number(socket_, ZMQ_HANDSHAKE_IVL, kHandshakeMs);
    set_number(socket_, ZMQ_HEARTBEAT_IVL, kHeartbeatMs);
    set_number(socket_, ZMQ_HEARTBEAT_TIMEOUT, kHeartbeatTimeoutMs);
    set_number(socket_, ZMQ_HEARTBEAT_TTL, kHeartbeatTimeoutMs);
    set_number(socket_, ZMQ_IMMEDIATE, 1);  // no queue before there is a connection
    set(socket_, ZMQ_ROUTING_ID, name);
    set(socket_, ZMQ_CURVE_SERVERKEY, connection.server_public_key);
    set(socket_, ZMQ_CURVE_PUBLICKEY, connection.client_public_key);
    set(socket_, ZMQ_CURVE_SECRETKEY, connection.client_secret_key);
  }

  void* socket_;
};

struct Client::Sockets {
  struct Context {
    void* handle = zmq_ctx_new();
    ~Context() { zmq_ctx_term(handle); }
  };

  explicit Sockets(const Connection& connection)
      : work(context.handle, connection.work, name, connection),
        control(context.handle, connection.control, name, connection) {}

  // A context of its own, so that libzmq's I/O thread ends with this object: none of our threads
  // runs in the host while no render waits.
  Context context;
  std::string name = random_hex(16);
  Socket work;
  Socket control;
};

Client::Client(const Connection& connection) : sockets_(std::make_unique<Sockets>(connection)) {}

Client::~Client() = default;

bool Client::send(const Message& message, const std::string& request, int milliseconds) {
  return sockets_->work.send(encode(message, request), milliseconds);
}

std::optional<Envelope> Client::receive(int milliseconds) {
  return sockets_->work.receive(milliseconds);
}

std::optional<Message> Client::request(const Message& question, int milliseconds,
                                       const CancelToken& token) {
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(milliseconds);
  const std::string name = random_hex(8);
  const std::string bytes = encode(question, name);
  bool is_sent = false;
  while (Clock::now() < deadline) {
    token.check();
    if (!is_sent) {
      is_sent = sockets_->control.send(bytes, kPollMs);
      continue;
    }
    std::optional<Envelope> envelope = sockets_->control.receive(kPollMs);
    if (envelope && envelope->request == name) return std::move(envelope->message);
  }
  return std::nullopt;
}

std::string status_line() {
  const std::optional<Connection> connection = read_connection(runtime_dir());
  if (!connection) return "No server runs.";
  Client client(*connection);
  const std::optional<Message> answer = client.request(Status{}, kStatusMs);
  const ServerStatus* status = answer ? std::get_if<ServerStatus>(&*answer) : nullptr;
  if (!status) {
    throw Error(
        code::kServerLost,
        "The GVM server (process " + std::to_string(connection->pid) + ") does not answer.",
        "See its log " + connection->log + ".");
  }
  const auto live = std::count_if(status->jobs.begin(), status->jobs.end(), is_live);
  std::string engine =
      status->engine_loaded.empty() ? "no model loaded" : status->engine_loaded + " loaded";
  if (!status->licence.empty()) engine += " (licence: " + status->licence + ")";
  return "Server " + status->version + " (process " + std::to_string(status->pid) + ") on " +
         status->device + ", " + engine + ", " + counted(live, "job") + ".";
}

}  // namespace gvm::bridge
