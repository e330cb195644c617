// Describes the node to a host: contexts, clips, parameters. Touches no file, process or network.
#pragma once

#include "openfx/effect.h"

namespace gvm::node {

ofx::Status describe(ofx::Effect descriptor);
ofx::Status describe_in_context(ofx::Effect descriptor, ofx::PropertySet in);

}  // namespace gvm::node
