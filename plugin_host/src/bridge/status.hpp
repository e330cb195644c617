// What the server is doing, in one line for a node.
#pragma once

#include <string>

namespace gvm::bridge {

/// Never starts a server, and waits a second at most. Throws Error: runtime_unsafe, server_lost,
/// ...
std::string status_line();

}  // namespace gvm::bridge
