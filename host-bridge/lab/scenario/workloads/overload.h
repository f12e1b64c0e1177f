// A machine that is now and then given more than usual: most overloads pass within two minutes, few last for
// hours.
//
// Overdriver (VEE'11) found 88.1 % of memory overloads shorter than two minutes. A Pareto distribution from
// 20 s with exponent 1.18 has this share: (20 / 120)^1.18 = 0.12.
#pragma once

#include <memory>

#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/lab/scenario/workloads/file_use.h"

namespace ballast::sim {

struct Overload : FileUse {
  Overload() : FileUse{.hot_cache = 64 * kMiB, .hot_reads = kMiB, .cold_reads = 64 * kKiB} {}

  int32_t used = 4000;                       // usually, permyriad of boot memory
  Between<int32_t> overload = {7500, 8800};  // in an overload
  Nanos gap = Seconds(20 * 60);              // between overloads: mean, exponential
  Nanos shortest = Seconds(20);
  double tail = 1.18;  // Pareto exponent of the length
  Nanos longest = Seconds(2 * 3600);
  Between<int64_t> rise = {50 * kMiB, 400 * kMiB};  // speed of growth, each overload its own
};

[[nodiscard]] std::unique_ptr<Workload> MakeOverload(const Overload& parameters, int64_t boot_bytes,
                                                     const Random& random);
[[nodiscard]] WorkloadKind OverloadKind();

}  // namespace ballast::sim
