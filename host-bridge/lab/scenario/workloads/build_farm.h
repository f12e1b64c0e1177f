// A build machine: a build fills it for the better part of an hour, `make clean` empties it, then it waits.
//
// Shape after the published measurements of clang builds beside HyperAlloc (EuroSys'25): 40 to 60 minutes up
// to 80 to 85 % of the guest with about a twelfth of it page cache, then nothing until the next build. Guests
// whose builds must not coincide are told so by the scenario's `starts`.
#pragma once

#include <memory>

#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/lab/scenario/workloads/file_use.h"

namespace ballast::sim {

struct BuildFarm : FileUse {
  BuildFarm() : FileUse{.hot_cache = 64 * kMiB, .hot_reads = 256 * kKiB, .cold_reads = 16 * kKiB} {}

  int32_t base = 400;                    // between builds, permyriad of boot memory
  Between<int32_t> peak = {8000, 8500};  // in use at the plateau, its files included
  int32_t cache = 800;                   // of that, files in steady use
  Between<Nanos> build = {Seconds(40 * 60), Seconds(60 * 60)};
  int32_t ramp = 3500;  // of the build until the plateau
  Between<Nanos> idle = {Seconds(60 * 60), Seconds(120 * 60)};
  double unrest = 0.06;            // deviation of each minute's level
  int64_t rise = 150 * kMiB;       // speed of growth within a minute
  int64_t build_reads = 4 * kMiB;  // files read or written once, a second
};

[[nodiscard]] std::unique_ptr<Workload> MakeBuildFarm(const BuildFarm& parameters, int64_t boot_bytes,
                                                      const Random& random);
[[nodiscard]] WorkloadKind BuildFarmKind();

}  // namespace ballast::sim
