// Lays an alpha over the source and writes the output image, row by row, in the output's own
// depth.
#pragma once

#include "bridge/alpha_cache.hpp"
#include "node/definitions.hpp"
#include "node/host_image.hpp"

namespace gvm::node {

/// What goes into one output image. Null images count as black; a null alpha as `outside`.
struct Layers {
  const HostImage* source = nullptr;
  const HostImage* garbage = nullptr;
  const HostImage* holdout = nullptr;
  double feather = 0.0;  // pixels over which these two fade
  const bridge::Alpha* alpha = nullptr;
  ofx::RectI canvas{};   // where the alpha lies; of another size than it, the alpha is scaled
  float outside = 0.0f;  // the alpha where there is none
};

/// Writes the part of the output that lies in the window; kSource copies the source.
void composite(const Layers& layers, OutputMode mode, const ofx::RectI& window,
               const HostImage& output);

}  // namespace gvm::node
