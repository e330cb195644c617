// What an alpha is made from, as hashes: equal recipes mean equal alphas.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "bridge/hash.hpp"
#include "bridge/watch.hpp"
#include "bridge/windows.hpp"
#include "bridge/wish.hpp"

namespace gvm::bridge {

using FrameHashes = std::map<std::int64_t, Hash>;

/// A frame of a host's clip, and the other frames that the same windows make.
struct Recipe {
  std::int64_t frame = 0;
  FrameHashes plate;   // every frame that the windows see
  FrameHashes alphas;  // the keys of the alphas that these windows make, the frame's among them
  std::vector<Hash> windows;  // of each window's own result, whatever the matte knobs
  Hash model;                 // of all of them

  const Hash& key() const { return alphas.at(frame); }
};

/// Throws Error: bad_request or range_outside; Aborted; what the reader throws.
Recipe recipe_for(const Wish& wish, const HostClip& clip, std::int64_t frame, PlateReader& reader,
                  const Watch& watch);

/// What tells one clip from another, whatever its scale and its pixels.
Hash identity_of(const HostClip& clip);
Hash identity_of(const FileFrame& plate);

/// The key of a frame of a file; nothing where the file's version cannot be told.
std::optional<Hash> key_of(const Wish& wish, const FileFrame& plate);

}  // namespace gvm::bridge
