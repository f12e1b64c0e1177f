#include "host-bridge/lab/scenario/workloads/sawtooth.h"

#include <algorithm>

namespace ballast::sim {
namespace {

class SawtoothWorkload : public CyclicWorkload {
 public:
  SawtoothWorkload(const Sawtooth& parameters, int64_t boot_bytes)
      : p_(parameters), boot_bytes_(boot_bytes) {}

 private:
  void Refill() override {
    const Nanos up{static_cast<int64_t>(static_cast<double>(p_.period.count) * p_.up * 1e-4)};
    if (up < p_.period) Append(SegmentOf(p_, p_.period - up, ShareOf(boot_bytes_, p_.low), p_.rise));
    if (up.count > 0) Append(SegmentOf(p_, up, ShareOf(boot_bytes_, p_.high) + p_.beyond, p_.rise));
  }

  const Sawtooth p_;
  const int64_t boot_bytes_;
};

class PeaksWorkload : public CyclicWorkload {
 public:
  PeaksWorkload(const Peaks& parameters, int64_t boot_bytes, const Random& random)
      : p_(parameters), boot_bytes_(boot_bytes), random_(random) {}

 private:
  // One period; being late takes time from the peak and the next wait, so that the periods stay together.
  void Refill() override {
    const int64_t usual = ShareOf(boot_bytes_, p_.used);
    const Nanos lasts = std::min(p_.lasts, p_.every);
    const Nanos late = std::min(random_.In(p_.late), lasts);
    const Nanos wait = p_.every - lasts + late;
    if (wait.count > 0) Append(SegmentOf(p_, wait, usual, p_.rise));
    const int64_t peak = std::max(usual, ShareOf(boot_bytes_, random_.In(p_.peak)));
    if (late < lasts) Append(SegmentOf(p_, lasts - late, peak, p_.rise));
  }

  const Peaks p_;
  const int64_t boot_bytes_;
  Random random_;
};

}  // namespace

std::unique_ptr<Workload> MakeSawtooth(const Sawtooth& parameters, int64_t boot_bytes, const Random&) {
  return std::make_unique<SawtoothWorkload>(parameters, boot_bytes);
}

WorkloadKind SawtoothKind() {
  using P = Sawtooth;
  return KindOf<P>("sawtooth",
                   WithFileUse<P>({
                       Parameter("period", &P::period, SomeTime()),
                       Parameter("low", &P::low, AnyShare()),
                       Parameter("high", &P::high, AnyShare()),
                       Parameter("beyond", &P::beyond, AnySize()),
                       Parameter("up", &P::up, AnyShare()),
                       Parameter("rise", &P::rise, AnySpeed()),
                   }),
                   MakeSawtooth);
}

std::unique_ptr<Workload> MakePeaks(const Peaks& parameters, int64_t boot_bytes, const Random& random) {
  return std::make_unique<PeaksWorkload>(parameters, boot_bytes, random);
}

WorkloadKind PeaksKind() {
  using P = Peaks;
  return KindOf<P>("peaks",
                   WithFileUse<P>({
                       Parameter("used", &P::used, AnyShare()),
                       Parameter("peak", &P::peak, AnyShare()),
                       Parameter("every", &P::every, SomeTime()),
                       Parameter("lasts", &P::lasts, SomeTime()),
                       Parameter("late", &P::late, AnyTime()),
                       Parameter("rise", &P::rise, AnySpeed()),
                   }),
                   MakePeaks);
}

}  // namespace ballast::sim
