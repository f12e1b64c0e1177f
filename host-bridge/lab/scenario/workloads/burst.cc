#include "host-bridge/lab/scenario/workloads/burst.h"

#include <algorithm>

namespace ballast::sim {
namespace {

class BurstWorkload : public CyclicWorkload {
 public:
  BurstWorkload(const Burst& parameters, int64_t boot_bytes, const Random& random)
      : p_(parameters),
        used_bytes_(ShareOf(boot_bytes, p_.used)),
        most_bytes_(std::max(used_bytes_, ShareOf(boot_bytes, p_.most))),
        random_(random) {}

 private:
  void Refill() override {
    const int64_t level = std::min(used_bytes_ + random_.InByMagnitude(p_.size), most_bytes_);
    const int64_t rate = random_.InByMagnitude(p_.rate);
    Append(SegmentOf(p_, random_.In(p_.wait), used_bytes_, rate));
    const double climb = static_cast<double>(level - used_bytes_) / static_cast<double>(rate);
    Append(SegmentOf(p_, BoundedTime(climb) + random_.In(p_.hold), level, rate));
  }

  const Burst p_;
  const int64_t used_bytes_;
  const int64_t most_bytes_;
  Random random_;
};

}  // namespace

std::unique_ptr<Workload> MakeBurst(const Burst& parameters, int64_t boot_bytes, const Random& random) {
  return std::make_unique<BurstWorkload>(parameters, boot_bytes, random);
}

WorkloadKind BurstKind() {
  using P = Burst;
  return KindOf<P>("burst",
                   WithFileUse<P>({
                       Parameter("used", &P::used, AnyShare()),
                       Parameter("size", &P::size, SizeText(kMiB, 1024 * kGiB)),
                       Parameter("rate", &P::rate, SpeedText(kMiB, 1024 * kGiB)),
                       Parameter("hold", &P::hold, AnyTime()),
                       Parameter("wait", &P::wait, SomeTime()),
                       Parameter("most", &P::most, AnyShare()),
                   }),
                   MakeBurst);
}

}  // namespace ballast::sim
