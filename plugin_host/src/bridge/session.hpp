// One job's exchange with the server, from `matte` to its end.
#pragma once

#include <functional>

#include "bridge/cancel_token.hpp"
#include "bridge/frame_request.hpp"
#include "bridge/messages.hpp"

namespace gvm::bridge {

using SendFrames = std::function<void(const GiveFrames&)>;

/// What is done with the server's messages; all on the thread that runs the job.
struct JobHandler {
  std::function<void(const NeedFrames&, const SendFrames&)> need;
  std::function<void(const Accepted&)> accepted;
  std::function<void(const FrameReady&)> ready;  // mapped
};

/// Asks for a matte and serves the job until it is done; a server that dies of it is replaced
/// once.
///
/// Throws Error: server_lost, timed_out, or what the server says; Aborted, after a cancel was
/// sent.
void run_job(const Matte& request, const JobHandler& handler, const MatteOptions& options,
             const CancelToken& token);

}  // namespace gvm::bridge
