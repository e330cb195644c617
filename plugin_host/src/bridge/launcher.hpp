// Finds the running server, or starts one and waits until it answers a ping.
//
// A server outlives the host that started it.
#pragma once

#include "bridge/cancel_token.hpp"
#include "bridge/connection.hpp"

namespace gvm::bridge {

/// The connection to the running server; where none runs, starts one if that is allowed.
///
/// Throws Error: server_not_running (and none may be started), server_start_failed (with the end
/// of its log), timed_out (it goes on starting), runtime_unsafe, version_mismatch; Aborted where
/// the host cancels.
Connection ensure_server(bool may_start, const CancelToken& token);

}  // namespace gvm::bridge
