// The bytes of the protocol: one message is one msgpack map of v, type, request, body.
//
// Bytes are canonical (every field in order, shortest integers, float64), reading is strict, and
// sizes are bounded before anything is made of them: as gvm_client/protocol/wire.py, tied by
// tests/golden/protocol/.
#pragma once

#include <string>
#include <string_view>

#include "bridge/errors.hpp"
#include "bridge/messages.hpp"

namespace gvm::bridge {

/// Bytes that are no valid message; `request` as far as it could be read.
class UnreadableMessage : public Error {
 public:
  UnreadableMessage(std::string code, const std::string& message, std::string request)
      : Error(std::move(code), message), request_(std::move(request)) {}
  const std::string& request() const { return request_; }

 private:
  std::string request_;
};

/// A message's bytes. Throws Error where a field is out of its range or the whole is too big.
std::string encode(const Message& message, const std::string& request);

/// The message that the bytes hold. Throws UnreadableMessage: code malformed, bad_request or
/// version_mismatch.
Envelope decode(std::string_view bytes);

}  // namespace gvm::bridge
