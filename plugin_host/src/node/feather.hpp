// A guide that fades around what it holds, by the server's rule (gvm_server/matting/guides.py).
#pragma once

#include <vector>

namespace gvm::node {

/// Lets a guide, rows of `width` values in 0..1, fade to 0 over `length` pixels around what it
/// holds: grown by half the length and blurred by a Gaussian that reaches the other half. Nowhere
/// is it less than it was; its border is no edge.
void feather(std::vector<float>& guide, int width, double length);

}  // namespace gvm::node
