// What can go wrong on the way to a matte: a code, a sentence with the values, a remedy.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include "bridge/generated/error_codes.hpp"

namespace gvm::bridge {

// Codes of this side alone, which are never on the wire: only a plug-in waits for a host.
namespace code {
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

/// What is wrong with the run-time folder or a file in it: what follows its path, and the remedy.
inline Error unsafe_path(const std::filesystem::path& path, const std::string& why,
                         const std::string& remedy) {
  return {code::kRuntimeUnsafe, "The run-time path " + path.u8string() + " " + why + ".", remedy};
}

/// The host has cancelled the render; nothing is shown to the artist.
class Aborted : public Error {
 public:
  Aborted() : Error(code::kCancelled, "The host gave the render up.") {}
};

}  // namespace gvm::bridge
