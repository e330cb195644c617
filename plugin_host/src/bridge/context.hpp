// What a job means besides its settings, from this host's environment: gvm_client/context.py.
#pragma once

#include "bridge/messages.hpp"

namespace gvm::bridge {

/// This process's context: the colour configuration and the variables that its text names, the
/// weights and the umask. Paths become absolute here.
JobContext job_context();

}  // namespace gvm::bridge
