// One world, run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "host-bridge/lab/world/run.h"

namespace ballast::sim {

struct WorldResult {
  uint64_t seed = 0;
  Nanos length;
  Measures measures;
};

}  // namespace ballast::sim
