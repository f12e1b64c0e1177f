// When each guest has to be advanced next, with the earliest of each block kept: at most steps of the world
// only one or two guests are due, and the others are not even looked at.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace ballast::sim {

class DueTimes {
 public:
  // All due at `ns`.
  DueTimes(size_t guests, int64_t ns)
      : due_((guests + kBlock - 1) / kBlock * kBlock, kNever), earliest_(due_.size() / kBlock, ns) {
    std::fill_n(due_.begin(), guests, ns);
  }

  void Set(size_t guest, int64_t ns) {
    due_[guest] = ns;
    const size_t block = guest / kBlock;
    const auto begin = due_.begin() + static_cast<std::ptrdiff_t>(block * kBlock);
    earliest_[block] = *std::min_element(begin, begin + kBlock);
  }

  // Of all guests; kNever without any.
  [[nodiscard]] int64_t Earliest() const {
    int64_t earliest = kNever;
    for (const int64_t one : earliest_) earliest = std::min(earliest, one);
    return earliest;
  }

  // Calls advance(guest) for those due at `ns` or before, in their order; it may set that guest's time anew.
  template <typename Function>
  void ForEachDue(int64_t ns, const Function& advance) const {
    for (size_t block = 0; block < earliest_.size(); ++block) {
      if (earliest_[block] > ns) continue;
      for (size_t guest = block * kBlock; guest < (block + 1) * kBlock; ++guest) {
        if (due_[guest] <= ns) advance(guest);
      }
    }
  }

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

 private:
  // A cache line of times.
  static constexpr size_t kBlock = 8;

  std::vector<int64_t> due_;  // filled up to whole blocks with kNever
  std::vector<int64_t> earliest_;
};

}  // namespace ballast::sim
