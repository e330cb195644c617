// Finds the running server, or starts one and waits for its proof of life.
//
// The command is $GVM_SERVER, else the one in the configuration folder (`gvm/server.json`, written
// by `gvm install ofx`), which may also give it variables (`env`). A server outlives the host that started it.
#pragma once

#include <string>
#include <vector>

#include "bridge/connection.hpp"
#include "bridge/watch.hpp"

namespace gvm::bridge {

inline constexpr double kStartSeconds = 60.0;

/// The connection to the running server; where none runs, starts one if that is allowed.
///
/// Throws Error: server_not_running (and none may be started), server_start_failed (with the end
/// of its log), timed_out (it goes on starting), runtime_unsafe, version_mismatch; Aborted where the
/// host gives up.
Connection ensure_server(bool may_start, const Watch& watch);

/// The words of the command that starts the server. Throws Error (server_start_failed): there is
/// none.
std::vector<std::string> server_command();

/// What a server gets of a host's environment, by the table of gvm_client/server_config.py, and the
/// variables of its own over it.
Variables scrubbed(const Variables& environment, const Variables& own);

/// Words as a POSIX shell parts them: blanks, quotes, backslashes; nothing is expanded.
std::vector<std::string> split_words(const std::string& line);

}  // namespace gvm::bridge
