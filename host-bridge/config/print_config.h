// The configuration in the file's own syntax, with every default written out; Interpret reads it back
// unchanged.
#pragma once

#include <string>

#include "host-bridge/config/bridge_config.h"

namespace ballast::config {

// Unset limits of a guest are left out, since their defaults come from its boot memory. `dry_run` is not
// printed.
[[nodiscard]] std::string PrintConfig(const BridgeConfig& config);

}  // namespace ballast::config
