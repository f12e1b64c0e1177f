// The same use for ever. Whoever moves a balloon to and fro here does so for no reason.
#pragma once

#include <memory>

#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/lab/scenario/workloads/file_use.h"

namespace ballast::sim {

struct Steady : FileUse {
  int32_t used = 3000;         // permyriad of boot memory, anonymous
  int64_t rise = 200 * kMiB;   // speed at which it is reached
  Nanos step = Seconds(3600);  // length of the equal segments it is told in
};

[[nodiscard]] std::unique_ptr<Workload> MakeSteady(const Steady& parameters, int64_t boot_bytes,
                                                   const Random& random);
[[nodiscard]] WorkloadKind SteadyKind();

}  // namespace ballast::sim
