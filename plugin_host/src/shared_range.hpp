// One range for all instances of a clip: Resolve's report ranges that differ by a frame or two.
//
// A clip's first and last frame are in the keys of its mattes and in its window plan, so instances
// that differ in them would share nothing.
#pragma once

#include <string>

#include "bridge/windows.hpp"

namespace gvm::plugin {

/// The frames of a media file that instances of this process know together, `own` among them.
/// Ranges that differ by more than a few frames at an end are other clips'.
bridge::Window shared_range(const std::string& media, const bridge::Window& own);

/// Forgets all of them, when the plug-in is unloaded.
void forget_shared_ranges();

}  // namespace gvm::plugin
