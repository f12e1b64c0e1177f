// A replay's report as text.
#pragma once

#include <string>

#include "host-bridge/lab/replay/replay.h"

namespace ballast::replay {

[[nodiscard]] std::string TextOf(const ReplayReport& report);

}  // namespace ballast::replay
