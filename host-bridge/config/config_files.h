// Which files make up the configuration, and their contents.
#pragma once

#include <string>

#include "host-bridge/config/interpret.h"

namespace ballast::config {

// `path` is a file: that file, then guests.d/*.conf beside it. A directory: every *.conf in it, then
// guests.d/*.conf inside it. Both in the order of their names; a missing guests.d is no fault.
[[nodiscard]] Loaded LoadConfig(const std::string& path);

}  // namespace ballast::config
