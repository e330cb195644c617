// The protocol's messages, generated from gvm_client/protocol, and the rules of their values.
#pragma once

#include <cstdint>
#include <string>

#include "bridge/generated/limits.hpp"
#include "bridge/generated/messages.hpp"

namespace gvm::bridge {

/// A message as it came, with the name of the request that it makes or answers.
struct Envelope {
  std::string request;
  Message message;
};

/// Whether these knobs make something of an alpha of 0.
bool reaches_out(const MatteKnobs& knobs);

/// Bytes of one channel of a pixel.
std::int64_t bytes_of(PixelType type);

/// Bytes of an image.
std::int64_t bytes_of(const MappedFrame& frame);

// The rules of values, which the wire checks in all that it writes and reads; each throws Error
// (bad_request) with the value. They are those of the dataclasses in gvm_client; the vectors that
// are refused in tests/golden/protocol hold them together.
template <class T>
void check(const T&) {}  // most values have none
void check(const MappedFrame& value);
void check(const Shown& value);
void check(const FilePlate& value);
void check(const PushedPlate& value);
void check(const FileContent& value);
void check(const FileOutput& value);
void check(const MappedOutput& value);
void check(const WindowSettings& value);
void check(const ModelSettings& value);
void check(const MatteKnobs& value);
void check(const JobContext& value);
void check(const Guides& value);
void check(const Region& value);
void check(const Matte& value);
void check(const GiveFrames& value);
void check(const Cancel& value);
void check(const NeedFrames& value);
void check(const ServerStatus& value);

}  // namespace gvm::bridge
