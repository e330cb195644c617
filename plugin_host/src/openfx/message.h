// OpenFX 1.5.1: the message and progress suites.
#pragma once

#include "openfx/core.h"

namespace ofx {

inline constexpr char kMessageSuite[] = "OfxMessageSuite";
inline constexpr char kProgressSuite[] = "OfxProgressSuite";
inline constexpr char kMessageError[] = "OfxMessageError";
inline constexpr char kMessageMessage[] = "OfxMessageMessage";
inline constexpr char kMessageLog[] = "OfxMessageLog";

struct MessageSuiteV1 {
  Status (*message)(void* handle, const char* type, const char* id, const char* format, ...);
};

struct MessageSuiteV2 {
  Status (*message)(void* handle, const char* type, const char* id, const char* format, ...);
  Status (*setPersistentMessage)(void* handle, const char* type, const char* id,
                                 const char* format, ...);
  Status (*clearPersistentMessage)(void* handle);
};

struct ProgressSuiteV1 {
  Status (*progressStart)(void* effect, const char* label);
  Status (*progressUpdate)(void* effect, double progress);  // kReplyNo: the user cancels
  Status (*progressEnd)(void* effect);
};

struct ProgressSuiteV2 {
  Status (*progressStart)(void* effect, const char* message, const char* id);
  Status (*progressUpdate)(void* effect, double progress);
  Status (*progressEnd)(void* effect);
};

}  // namespace ofx
