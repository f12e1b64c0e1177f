// Bursts: N bytes at R bytes a second, held, freed, and again. Whoever polls every few seconds misses most of
// them.
#pragma once

#include <memory>

#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/lab/scenario/workloads/file_use.h"

namespace ballast::sim {

struct Burst : FileUse {
  Burst() : FileUse{.hot_cache = 32 * kMiB, .hot_reads = 256 * kKiB, .cold_reads = 0} {}

  int32_t used = 2000;  // between bursts, permyriad of boot memory
  Between<int64_t> size = {128 * kMiB, 1536 * kMiB};
  // Up to half of what a stock balloon gives back (2.1 GiB/s), and then to the goal of no kill in 10,000
  // bursts.
  Between<int64_t> rate = {64 * kMiB, 1024 * kMiB};
  Between<Nanos> hold = {Seconds(1), Seconds(10)};  // after the last byte
  Between<Nanos> wait = {Seconds(20), Seconds(60)};
  int32_t most = 9000;  // size is cut to this share of boot memory, the use between bursts included
};

[[nodiscard]] std::unique_ptr<Workload> MakeBurst(const Burst& parameters, int64_t boot_bytes,
                                                  const Random& random);
[[nodiscard]] WorkloadKind BurstKind();

}  // namespace ballast::sim
