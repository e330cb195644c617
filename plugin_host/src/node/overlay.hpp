// The region in the host's viewer: its outline, and a pen that drags it.
//
// Thin: while it is dragged only the outline moves; the parameters are set, and the matte is asked
// for, when the pen is lifted. A host without the suite shows the parameters alone.
#pragma once

#include "openfx/core.h"

namespace gvm::node {

/// Says to the host that the node draws, where it lets one; part of describing it.
void offer_overlay(ofx::PropertySet effect);

/// Which sides of a rectangle a pen takes hold of: those within `reach` of it, all of them near the
/// middle, none elsewhere. `reach` is in canonical coordinates.
struct Grip {
  bool left = false, bottom = false, right = false, top = false;

  explicit operator bool() const { return left || bottom || right || top; }
};
Grip grip_at(const ofx::RectD& rectangle, const ofx::PointD& pen, const ofx::PointD& reach);

/// The rectangle with its held sides moved; one that is dragged beyond its other side is turned.
ofx::RectD dragged(const ofx::RectD& rectangle, const Grip& grip, const ofx::PointD& by);

}  // namespace gvm::node
