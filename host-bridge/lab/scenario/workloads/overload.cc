#include "host-bridge/lab/scenario/workloads/overload.h"

#include <algorithm>

namespace ballast::sim {
namespace {

class OverloadWorkload : public CyclicWorkload {
 public:
  OverloadWorkload(const Overload& parameters, int64_t boot_bytes, const Random& random)
      : p_(parameters), boot_bytes_(boot_bytes), random_(random) {}

 private:
  void Refill() override {
    const int64_t usual = ShareOf(boot_bytes_, p_.used);
    const int64_t rise = random_.InByMagnitude(p_.rise);
    Append(SegmentOf(p_, random_.ExponentialTime(p_.gap), usual, rise));
    const double shortest = static_cast<double>(p_.shortest.count) * 1e-9;
    const Nanos length = std::min(BoundedTime(random_.Pareto(shortest, p_.tail)), p_.longest);
    Append(SegmentOf(p_, length, std::max(usual, ShareOf(boot_bytes_, random_.In(p_.overload))), rise));
  }

  const Overload p_;
  const int64_t boot_bytes_;
  Random random_;
};

}  // namespace

std::unique_ptr<Workload> MakeOverload(const Overload& parameters, int64_t boot_bytes, const Random& random) {
  return std::make_unique<OverloadWorkload>(parameters, boot_bytes, random);
}

WorkloadKind OverloadKind() {
  using P = Overload;
  return KindOf<P>("overload",
                   WithFileUse<P>({
                       Parameter("used", &P::used, AnyShare()),
                       Parameter("overload", &P::overload, AnyShare()),
                       Parameter("gap", &P::gap, SomeTime()),
                       Parameter("shortest", &P::shortest, SomeTime()),
                       Parameter("tail", &P::tail, NumberText(0.1, 10)),
                       Parameter("longest", &P::longest, SomeTime()),
                       Parameter("rise", &P::rise, SpeedText(kMiB, 1024 * kGiB)),
                   }),
                   MakeOverload);
}

}  // namespace ballast::sim
