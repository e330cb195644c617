// One job's talk with the server, from `matte` to its end.
#pragma once

#include <functional>

#include "bridge/messages.hpp"
#include "bridge/watch.hpp"
#include "bridge/wish.hpp"

namespace gvm::bridge {

using Give = std::function<void(const GiveFrames&)>;

/// What a job does with what the server says; all on the thread that converses.
struct JobHandler {
  std::function<void(const NeedFrames&, const Give&)> need;
  std::function<void(const Accepted&)> accepted;
  std::function<void(const MappedFrame&)> ready;
};

/// Asks for a matte and serves the job until it is done; once more where the server dies meanwhile.
///
/// Throws Error: server_lost, timed_out, or what the server says; Aborted, after a cancel was
/// sent.
void converse(const Matte& request, const JobHandler& handler, const Wish& wish,
              const Watch& watch);

}  // namespace gvm::bridge
