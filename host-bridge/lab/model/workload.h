// What a guest's programs want of memory, as a sequence of segments. The same seed gives the same sequence,
// whatever the controller does: that is what makes a comparison one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/base/time.h"

namespace ballast::sim {

// One stretch of constant intent. Sizes in bytes, speeds in bytes per second.
struct Segment {
  Nanos length = Seconds(1);  // > 0
  // Anonymous memory moves to this level: up at this speed (0: at once), down at once.
  int64_t anon_bytes = 0;
  int64_t anon_bytes_per_second = 0;
  // File pages in steady use, and how fast they are gone through; the part that is not in the cache is read
  // back (refaults).
  int64_t hot_cache_bytes = 0;
  int64_t hot_reads_bytes_per_second = 0;
  // File pages read or written once: they fill free memory with cache that nobody will miss.
  int64_t cold_reads_bytes_per_second = 0;
  // At its start the workload deletes its files (`make clean`): the cache becomes free memory.
  bool drops_cache = false;

  friend bool operator==(const Segment&, const Segment&) = default;
};

// Endless.
class Workload {
 public:
  virtual ~Workload() = default;
  virtual Segment Next() = 0;
};

// Each call starts the same sequence from its beginning (a rival with foresight reads ahead in a second
// copy).
using WorkloadFactory = std::function<std::unique_ptr<Workload>()>;

}  // namespace ballast::sim
