#include "host-bridge/lab/scenario/workloads/database.h"

#include <algorithm>

namespace ballast::sim {
namespace {

class DatabaseWorkload : public CyclicWorkload {
 public:
  DatabaseWorkload(const Database& parameters, int64_t boot_bytes, const Random& random)
      : p_(parameters), boot_bytes_(boot_bytes), random_(random), level_(std::min(p_.begins, p_.top)) {
    next_notch_ = random_.ExponentialTime(p_.notch_gap);
  }

 private:
  // A wait and the query that ends it; the ratchet moves between two queries.
  void Refill() override {
    const Nanos wait = random_.ExponentialTime(p_.query_gap);
    const Nanos query = random_.In(p_.query);
    now_ = now_ + wait;
    while (level_ < p_.top && next_notch_ <= now_) {
      level_ = std::min(level_ + p_.notch, p_.top);
      next_notch_ = next_notch_ + random_.ExponentialTime(p_.notch_gap);
    }
    Append(SegmentOf(p_, wait, ShareOf(boot_bytes_, level_), p_.rise));
    const int32_t peak = std::min(level_ + random_.In(p_.query_memory), 9'000);
    Append(SegmentOf(p_, query, ShareOf(boot_bytes_, std::max(peak, level_)), p_.rise));
    now_ = now_ + query;
  }

  const Database p_;
  const int64_t boot_bytes_;
  Random random_;
  int32_t level_;  // permyriad
  Nanos now_;
  Nanos next_notch_;
};

}  // namespace

std::unique_ptr<Workload> MakeDatabase(const Database& parameters, int64_t boot_bytes, const Random& random) {
  return std::make_unique<DatabaseWorkload>(parameters, boot_bytes, random);
}

WorkloadKind DatabaseKind() {
  using P = Database;
  return KindOf<P>("database",
                   WithFileUse<P>({
                       Parameter("begins", &P::begins, AnyShare()),
                       Parameter("top", &P::top, AnyShare()),
                       Parameter("notch", &P::notch, ShareText(1, 10'000)),
                       Parameter("notch-gap", &P::notch_gap, SomeTime()),
                       Parameter("query-gap", &P::query_gap, SomeTime()),
                       Parameter("query", &P::query, SomeTime()),
                       Parameter("query-memory", &P::query_memory, AnyShare()),
                       Parameter("rise", &P::rise, AnySpeed()),
                   }),
                   MakeDatabase);
}

}  // namespace ballast::sim
