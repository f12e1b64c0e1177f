// A server that does next to nothing: a low level that wavers, and a few times a day a job that needs much
// more.
//
// Fitted to the one virtual machine of the GWA-T-12 Bitbrains trace that is public in small: 2 GiB, 30 days
// in steps of 5 minutes, used memory median 5.4 %, 90th percentile 7.5 %, 99th 19.9 %, most 40.3 %; the 99th
// percentile of a step +8.8 %, the largest +33 %; lag-1 autocorrelation 0.47. The calm level is lognormal and
// an AR(1) process in its logarithm; each job's peak falls off by about half in every later step. Both
// together make the 0.47.
#pragma once

#include <memory>

#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/lab/scenario/workloads/file_use.h"

namespace ballast::sim {

struct IdleHeavy : FileUse {
  IdleHeavy() : FileUse{.hot_cache = 32 * kMiB, .hot_reads = 128 * kKiB, .cold_reads = 16 * kKiB} {}

  int32_t median = 530;       // of the calm level, permyriad of boot memory
  double spread = 0.215;      // deviation of its logarithm
  double correlation = 0.28;  // of one step's logarithm with the next, jobs apart
  Nanos step = Seconds(300);
  Nanos job_gap = Seconds(525 * 60);    // mean, exponential: 80 jobs in 30 days
  Between<int32_t> job = {1600, 4000};  // peak, permyriad of boot memory
  double early = 0.35;                  // chance that a job needs a part of its peak one step before it
  double decay = 0.45;                  // what each step leaves of the peak
  int64_t rise = 200 * kMiB;            // speed of growth
};

[[nodiscard]] std::unique_ptr<Workload> MakeIdleHeavy(const IdleHeavy& parameters, int64_t boot_bytes,
                                                      const Random& random);
[[nodiscard]] WorkloadKind IdleHeavyKind();

}  // namespace ballast::sim
