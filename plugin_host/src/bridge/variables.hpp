// Which of this host's variables a colour configuration's text names: gvm_client/ocio_config.py.
#pragma once

#include <string>
#include <vector>

namespace gvm::bridge {

/// The variables that a configuration file names, as NAME=value, sorted; none where it cannot be
/// read. The text is read once for as long as the file is the same.
///
/// An `.ocioz` archive is not looked into: its variables have the configuration's own defaults.
std::vector<std::string> variables_used(const std::string& configuration);

}  // namespace gvm::bridge
