// The memory of the host: its own processes, the VMMs, its swap, and the pressure that a shortage makes.
#pragma once

#include <cstdint>

#include "common/base/time.h"
#include "common/base/units.h"

namespace ballast::sim {

struct HostSpec {
  int64_t total_bytes = 64 * kGiB;
  int64_t swap_bytes = 0;
};

class HostModel {
 public:
  explicit HostModel(const HostSpec& spec) : spec_(spec) {}

  // What all processes want resident from now on: the host's own and the VMMs.
  void SetDemand(int64_t bytes);
  void Advance(Nanos span);

  [[nodiscard]] int64_t total() const { return spec_.total_bytes; }
  [[nodiscard]] int64_t demand() const { return demand_; }
  // 0..total.
  [[nodiscard]] int64_t available() const;
  [[nodiscard]] int64_t in_memory() const { return total() - available(); }
  [[nodiscard]] int64_t swap_used() const { return swap_used_; }
  [[nodiscard]] bool is_short() const { return demand_ > spec_.total_bytes; }
  // Beyond memory and swap: its kernel has to kill.
  [[nodiscard]] bool is_exhausted() const { return demand_ > spec_.total_bytes + spec_.swap_bytes; }
  [[nodiscard]] int32_t some_permyriad() const { return static_cast<int32_t>(some_); }
  [[nodiscard]] int32_t full_permyriad() const { return static_cast<int32_t>(full_); }
  [[nodiscard]] int32_t some_avg10_permyriad() const { return static_cast<int32_t>(avg10_); }

 private:
  HostSpec spec_;
  int64_t demand_ = 0;
  int64_t swap_used_ = 0;
  int64_t some_ = 0;
  int64_t full_ = 0;
  int64_t avg10_ = 0;
  Nanos since_average_;
};

}  // namespace ballast::sim
