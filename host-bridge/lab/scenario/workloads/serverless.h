// A worker of a serverless platform: instances of functions come, stay warm for a while and go.
//
// The memory of an instance follows a Burr distribution whose median is about 170 MiB and whose 90th
// percentile is about 400 MiB, the figures known for applications of Azure Functions (ATC'20): (2^(1/k) -
// 1)^(1/c) x scale and (10^(1/k) - 1)^(1/c) x scale with the numbers below.
#pragma once

#include <memory>

#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/lab/scenario/workloads/file_use.h"

namespace ballast::sim {

struct Serverless : FileUse {
  Serverless() : FileUse{.hot_cache = 48 * kMiB, .hot_reads = kMiB, .cold_reads = 64 * kKiB} {}

  int64_t base = 128 * kMiB;
  double burr_c = 8.563;
  double burr_k = 0.221;
  int64_t scale = 118 * kMiB + 512 * kKiB;
  Nanos arrival_gap = Seconds(60);  // between instances in a busy time: mean, exponential
  Nanos stays = Seconds(240);       // an instance: mean, exponential
  Nanos busy = Seconds(15 * 60);    // mean length of a busy time, exponential
  Nanos quiet = Seconds(45 * 60);   // and of the quiet time after it, in which none arrives
  int32_t most = 8000;              // an instance that would exceed this share of boot memory runs elsewhere
  int64_t rise = 300 * kMiB;        // speed of growth
};

[[nodiscard]] std::unique_ptr<Workload> MakeServerless(const Serverless& parameters, int64_t boot_bytes,
                                                       const Random& random);
[[nodiscard]] WorkloadKind ServerlessKind();

}  // namespace ballast::sim
