// Hostile: up and down at the controller's own pace, so that it takes when the guest is down and is caught
// when it is up. `peaks` differs in that it stands still between rare peaks, which every guest of the world
// has at once.
#pragma once

#include <memory>

#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/lab/scenario/workloads/file_use.h"

namespace ballast::sim {

struct Sawtooth : FileUse {
  Nanos period = Seconds(10);  // a taking, its cool-down and the next one
  int32_t low = 2000;          // permyriad of boot memory
  int32_t high = 7000;
  int64_t beyond = 0;         // on top of it: what a guest can only have when it is plugged
  int32_t up = 5000;          // of the period spent up
  int64_t rise = 500 * kMiB;  // speed of growth
};

struct Peaks : FileUse {
  Peaks() : FileUse{.hot_cache = 32 * kMiB, .hot_reads = 256 * kKiB, .cold_reads = 16 * kKiB} {}

  int32_t used = 1500;                   // between peaks, permyriad of boot memory
  Between<int32_t> peak = {5000, 7000};  // each guest and each peak its own
  Nanos every = Seconds(3600);           // counted from the guest's start, the same for all
  Nanos lasts = Seconds(300);
  Between<Nanos> late = {Seconds(0), Seconds(5)};  // how exactly they coincide
  int64_t rise = 200 * kMiB;                       // speed of growth
};

[[nodiscard]] std::unique_ptr<Workload> MakeSawtooth(const Sawtooth& parameters, int64_t boot_bytes,
                                                     const Random& random);
[[nodiscard]] WorkloadKind SawtoothKind();

[[nodiscard]] std::unique_ptr<Workload> MakePeaks(const Peaks& parameters, int64_t boot_bytes,
                                                  const Random& random);
[[nodiscard]] WorkloadKind PeaksKind();

}  // namespace ballast::sim
