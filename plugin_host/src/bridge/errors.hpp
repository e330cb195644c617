// What can go wrong on the way to a matte: a code, a sentence with the values, a remedy.
#pragma once

#include <stdexcept>
#include <string>

namespace gvm::bridge {

// The words of the protocol's error codes that this side raises itself; a `failed` message brings
// its own.
namespace code {
inline constexpr char kBadRequest[] = "bad_request";
inline constexpr char kMalformed[] = "malformed";
inline constexpr char kVersionMismatch[] = "version_mismatch";
inline constexpr char kIllegalMove[] = "illegal_move";
inline constexpr char kRangeOutside[] = "range_outside";
inline constexpr char kPlateMissing[] = "plate_missing";
inline constexpr char kPlateMismatch[] = "plate_mismatch";
inline constexpr char kOutputUnwritable[] = "output_unwritable";
inline constexpr char kDiskFull[] = "disk_full";
inline constexpr char kServerNotRunning[] = "server_not_running";
inline constexpr char kServerStartFailed[] = "server_start_failed";
inline constexpr char kServerLost[] = "server_lost";
inline constexpr char kRuntimeUnsafe[] = "runtime_unsafe";
inline constexpr char kCancelled[] = "cancelled";
// Never on the wire: only this side waits for a host.
inline constexpr char kTimedOut[] = "timed_out";
inline constexpr char kNoNeighbours[] = "no_neighbours";
}  // namespace code

/// An error that an artist can read: what happened, with the values, then what to do.
class Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& message, std::string remedy = "")
      : std::runtime_error(message), code_(std::move(code)), remedy_(std::move(remedy)) {}

  const std::string& code() const { return code_; }
  const std::string& remedy() const { return remedy_; }

  /// The sentence and the remedy, as a node shows them.
  std::string text() const { return remedy_.empty() ? what() : what() + (" " + remedy_); }

 private:
  std::string code_;
  std::string remedy_;
};

/// The host does not want the picture any more; nothing is said to the artist.
class Aborted : public Error {
 public:
  Aborted() : Error(code::kCancelled, "The host gave the render up.") {}
};

}  // namespace gvm::bridge
