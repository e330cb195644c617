#include "turn.hpp"

#include "host.hpp"

namespace gvm::plugin {
namespace {

constexpr std::chrono::seconds kLongest{2};  // a copy takes milliseconds

std::recursive_timed_mutex pixels;

}  // namespace

Turn::Turn() : lock_(pixels, std::defer_lock) {
  if (Host::the().quirks.shared_buffers) static_cast<void>(lock_.try_lock_for(kLongest));
}

}  // namespace gvm::plugin
