// What nearly every load does with files beside its own memory.
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/units.h"
#include "host-bridge/lab/model/workload.h"
#include "host-bridge/lab/scenario/parameter.h"

namespace ballast::sim {

struct FileUse {
  int64_t hot_cache = 0;   // bytes in steady use
  int64_t hot_reads = 0;   // bytes of it read each second
  int64_t cold_reads = 0;  // bytes a second read or written once: cache nobody will miss
};

// A segment of this length and level with the files' share filled in.
[[nodiscard]] inline Segment SegmentOf(const FileUse& files, Nanos length, int64_t anon_bytes,
                                       int64_t anon_bytes_per_second = 0) {
  return {.length = length,
          .anon_bytes = anon_bytes,
          .anon_bytes_per_second = anon_bytes_per_second,
          .hot_cache_bytes = files.hot_cache,
          .hot_reads_bytes_per_second = files.hot_reads,
          .cold_reads_bytes_per_second = files.cold_reads,
          .drops_cache = false};
}

// `keys` and those of FileUse, for parameters derived from it.
template <typename S>
[[nodiscard]] std::vector<config::Key<S>> WithFileUse(std::vector<config::Key<S>> keys) {
  keys.push_back(Parameter("hot-cache", static_cast<int64_t S::*>(&FileUse::hot_cache), AnySize()));
  keys.push_back(Parameter("hot-reads", static_cast<int64_t S::*>(&FileUse::hot_reads), AnySpeed()));
  keys.push_back(Parameter("cold-reads", static_cast<int64_t S::*>(&FileUse::cold_reads), AnySpeed()));
  return keys;
}

}  // namespace ballast::sim
