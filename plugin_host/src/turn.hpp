// One instance at a time touches the host's pixels, in hosts that lend one buffer to several.
//
// Fusion Studio was seen to hand the buffer of one picture to nodes on parallel branches; what they
// put out of each other's pixels stays in its cache. So there a source is copied as soon as it is
// had, an output is written in one go, and neither while another instance does.
#pragma once

#include <chrono>
#include <mutex>

namespace gvm::plugin {

class Turn {
 public:
  /// Waits for the others where the host needs it; not for long, because a node above this one may
  /// have to render on another thread first.
  Turn();

 private:
  std::unique_lock<std::recursive_timed_mutex> lock_;
};

}  // namespace gvm::plugin
