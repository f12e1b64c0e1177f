// When which block is to be brought online, and whether the kernel does it by itself. Pure: it is told the
// time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/base/time.h"

namespace ballast::agent {

class OnlineTurns {
 public:
  // At once, and by the agent.
  void Want(int64_t number) { turns_[number] = {}; }
  // The kernel is about to bring it online, or has done so; it is the agent's when that has not happened 300
  // ms after the last block that appeared or that the kernel brought online.
  void LeaveToKernel(int64_t number, bool online, MonotonicTime now);
  // It is online, by whomever.
  void IsOnline(int64_t number, MonotonicTime now);
  // The agent's attempt has failed: again in 1 s, and twice as long after each further one, at most 60 s.
  // True: the first one.
  bool Failed(int64_t number, MonotonicTime now);
  void Forget(int64_t number);

  // By number.
  [[nodiscard]] std::vector<int64_t> Due(MonotonicTime now) const;
  // The kernel is about to bring more online.
  [[nodiscard]] bool AwaitsKernel(MonotonicTime now) const;
  // There is what the kernel has brought online, and it is through with it.
  [[nodiscard]] bool HasArrived(MonotonicTime now) const { return !arrived_.empty() && !AwaitsKernel(now); }
  // That, by number; each once.
  [[nodiscard]] std::vector<int64_t> TakeArrived();
  // When an answer may be another; absent: nothing is awaited.
  [[nodiscard]] std::optional<MonotonicTime> Next() const;

 private:
  struct Turn {
    MonotonicTime at{};    // not before
    Nanos wait{};          // since the last failure; 0: it did not fail
    bool kernels = false;  // not before `kernel_until_` either
  };
  [[nodiscard]] MonotonicTime TimeOf(const Turn& turn) const;

  std::map<int64_t, Turn> turns_;
  std::set<int64_t> arrived_;
  MonotonicTime kernel_until_{};
};

}  // namespace ballast::agent
