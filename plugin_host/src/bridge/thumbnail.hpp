// A picture as the order of its cells' brightness, small enough for a message: the server compares
// what a host shows with a plate's frames.
//
// docs/protocol.md says how it is made; gvm_server/media/plates/thumbnail.py makes the same of a
// file (tests/ofx/test_ofx_bridge.py).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace gvm::bridge {

/// One row of a picture's green, from the left; the row is counted from the top.
using ReadRow = std::function<void(std::int64_t row, float* to)>;

/// A part of a picture, in its pixels from the top left; `x2` and `y2` lie outside.
struct ThumbnailPart {
  std::int64_t x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};

/// The ranks of a picture's cells, row by row from the top left; of a cell that is not whole in
/// the part that is shown, -1. Rows are read once each, and within the part only; the rest counts
/// as 0.
std::vector<std::int64_t> ranks_of(std::int64_t width, std::int64_t height,
                                   const ThumbnailPart& part, const ReadRow& read);

}  // namespace gvm::bridge
