// The lines of [expect]: "guest_oom_kills <= 0", "bytes_taken >= 1GiB".
#pragma once

#include <vector>

#include "common/config/ini.h"
#include "host-bridge/lab/scenario/scenario_spec.h"
#include "host-bridge/lab/scenario/section_reader.h"

namespace ballast::sim {

[[nodiscard]] std::vector<Expectation> ReadExpectations(const config::IniSection& section, Faults& faults);

}  // namespace ballast::sim
