// A database: its own cache grows with every table it touches and never shrinks, and single queries need much
// for a second or two. Shape after the field's reports of autoscaled PostgreSQL under pgbench: a ratchet to
// 75 %, queries of 1 to 2 s, a hot page cache beside.
#pragma once

#include <memory>

#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/lab/scenario/workloads/file_use.h"

namespace ballast::sim {

struct Database : FileUse {
  Database() : FileUse{.hot_cache = 256 * kMiB, .hot_reads = 20 * kMiB, .cold_reads = 256 * kKiB} {}

  int32_t begins = 2000;                            // permyriad of boot memory
  int32_t top = 7500;                               // where the ratchet ends
  int32_t notch = 100;                              // one step of it
  Nanos notch_gap = Seconds(240);                   // mean, exponential
  Nanos query_gap = Seconds(45);                    // mean, exponential
  Between<Nanos> query = {Seconds(1), Seconds(2)};  // its length
  Between<int32_t> query_memory = {100, 800};       // permyriad of boot memory
  int64_t rise = 400 * kMiB;                        // speed of growth
};

[[nodiscard]] std::unique_ptr<Workload> MakeDatabase(const Database& parameters, int64_t boot_bytes,
                                                     const Random& random);
[[nodiscard]] WorkloadKind DatabaseKind();

}  // namespace ballast::sim
