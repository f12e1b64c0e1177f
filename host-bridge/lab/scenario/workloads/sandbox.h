// A sandbox of a coding agent: long idle, then a turn of tool calls, each of which takes memory and frees it
// at once.
//
// Shape after published metadata of coding-agent sessions (7.3 tool calls a turn) and after the descriptions
// of two micro-VM sandbox products: spikes of 0.2 to 3 GiB, calls of seconds with a long tail, long idle
// between turns.
#pragma once

#include <memory>

#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/lab/scenario/workloads/file_use.h"

namespace ballast::sim {

struct Sandbox : FileUse {
  Sandbox() : FileUse{.hot_cache = 48 * kMiB, .hot_reads = 128 * kKiB, .cold_reads = 16 * kKiB} {}

  int64_t base = 160 * kMiB;                        // between calls
  Nanos idle = Seconds(30 * 60);                    // between turns: mean, exponential
  double calls = 7.3;                               // in a turn: mean, Poisson, at least one
  Nanos gap = Seconds(8);                           // between calls: median, lognormal
  Nanos call = Seconds(6);                          // length of a call: median, lognormal
  double call_spread = 1.3;                         // deviation of the logarithm of both
  Between<int64_t> spike = {200 * kMiB, 3 * kGiB};  // a call's memory, each magnitude equally likely
  int64_t rise = 300 * kMiB;                        // speed of its growth
  int64_t call_reads = 10 * kMiB;                   // files read once a second during a call
};

// A spike is cut to what the guest has beside its base.
[[nodiscard]] std::unique_ptr<Workload> MakeSandbox(const Sandbox& parameters, int64_t boot_bytes,
                                                    const Random& random);
[[nodiscard]] WorkloadKind SandboxKind();

}  // namespace ballast::sim
