// Hashes of what an alpha is made from: equal keys mean equal alphas.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "bridge/cancel_token.hpp"
#include "bridge/frame_request.hpp"
#include "bridge/hash.hpp"
#include "bridge/windows.hpp"

namespace gvm::bridge {

using FrameHashes = std::map<std::int64_t, Hash>;

/// The frames around a window that an engine looks at besides; of `auto`, of any it may become.
std::int64_t reach_of(EngineName engine);

/// Of a frame of a host's clip, and of the other frames that the same windows make.
struct AlphaKeys {
  std::int64_t frame = 0;
  FrameHashes plate;          // every frame that the windows see
  FrameHashes alphas;         // of the alphas that these windows make, the frame's among them
  std::vector<Hash> windows;  // of each window's own result, whatever the matte knobs
  Hash inference;             // of all these windows' results together

  const Hash& key() const { return alphas.at(frame); }
};

/// Throws Error: bad_request or range_outside; Aborted; what the reader throws.
AlphaKeys alpha_keys(const MatteOptions& options, const HostClip& clip, std::int64_t frame,
                     PlateReader& reader, const CancelToken& token);

/// The key of a frame of a file; nothing where the file's version cannot be told.
std::optional<Hash> key_of(const MatteOptions& options, const FileFrame& plate);

/// What tells one clip from another, whatever its scale and its pixels.
Hash identity_of(const HostClip& clip);
Hash identity_of(const FileFrame& plate);

}  // namespace gvm::bridge
