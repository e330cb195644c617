// The border to C: no exception crosses it. The only place that catches what it cannot name.
#pragma once

#include <exception>
#include <new>

#include "bridge/errors.hpp"
#include "openfx/core.h"

namespace gvm::plugin {

/// Calls the action and turns whatever it throws into a status.
template <class Action>
ofx::Status guarded(Action&& action) noexcept {
  try {
    return action();
  } catch (const bridge::Error&) {  // said on the node where it happened, if anybody reads it
    return ofx::kFailed;
  } catch (const std::bad_alloc&) {
    return ofx::kErrMemory;
  } catch (...) {
    return ofx::kErrUnknown;
  }
}

}  // namespace gvm::plugin
