// What a job means besides its settings, from this host's environment: gvm_client/context.py.
#pragma once

#include "bridge/messages.hpp"

namespace gvm::bridge {

/// This process's context; paths become absolute here.
JobContext job_context();

}  // namespace gvm::bridge
