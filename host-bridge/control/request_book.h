// The requests for memory of one guest that wait for an answer. Decide looks at one at a time: the most
// urgent, of several the oldest.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "host-bridge/control/guest_mailbox.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::control {

class RequestBook {
 public:
  // False when too many wait already; then it is not kept.
  [[nodiscard]] bool Add(RequestNews request);
  // Takes out those whose deadline is over: an answer would reach nobody.
  void DropLate(MonotonicTime now);
  // The one to decide on.
  [[nodiscard]] std::optional<policy::MemoryRequest> Next() const;
  // Takes it out; what it is worth saying of it. Unset when it is not there.
  std::optional<RequestNews> Take(int64_t id);
  void Clear() { waiting_.clear(); }

 private:
  static constexpr size_t kMost = 16;
  std::vector<RequestNews> waiting_;  // oldest first
};

}  // namespace ballast::control
