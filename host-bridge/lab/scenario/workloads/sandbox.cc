#include "host-bridge/lab/scenario/workloads/sandbox.h"

#include <algorithm>

namespace ballast::sim {
namespace {

// Of a guest's memory, its kernel and file pages need the rest.
constexpr int32_t kMostPermyriad = 8'500;

class SandboxWorkload : public CyclicWorkload {
 public:
  SandboxWorkload(const Sandbox& parameters, int64_t boot_bytes, const Random& random)
      : p_(parameters), most_bytes_(ShareOf(boot_bytes, kMostPermyriad)), random_(random) {}

 private:
  void Refill() override {
    Append(SegmentOf(p_, random_.ExponentialTime(p_.idle), Base(), p_.rise));
    const int64_t calls = std::max<int64_t>(1, random_.Poisson(p_.calls));
    for (int64_t call = 0; call < calls; ++call) {
      const int64_t level = std::min(Base() + random_.InByMagnitude(p_.spike), most_bytes_);
      Segment busy = SegmentOf(p_, random_.LogNormalTime(p_.call, p_.call_spread), level, p_.rise);
      busy.cold_reads_bytes_per_second += p_.call_reads;
      Append(busy);
      Append(SegmentOf(p_, random_.LogNormalTime(p_.gap, p_.call_spread), Base(), p_.rise));
    }
  }

  [[nodiscard]] int64_t Base() const { return std::min(p_.base, most_bytes_); }

  const Sandbox p_;
  const int64_t most_bytes_;
  Random random_;
};

}  // namespace

std::unique_ptr<Workload> MakeSandbox(const Sandbox& parameters, int64_t boot_bytes, const Random& random) {
  return std::make_unique<SandboxWorkload>(parameters, boot_bytes, random);
}

WorkloadKind SandboxKind() {
  using P = Sandbox;
  return KindOf<P>("sandbox",
                   WithFileUse<P>({
                       Parameter("base", &P::base, AnySize()),
                       Parameter("idle", &P::idle, SomeTime()),
                       Parameter("calls", &P::calls, NumberText(0, 500)),
                       Parameter("gap", &P::gap, SomeTime()),
                       Parameter("call", &P::call, SomeTime()),
                       Parameter("call-spread", &P::call_spread, NumberText(0, 3)),
                       Parameter("spike", &P::spike, SizeText(kMiB, 1024 * kGiB)),
                       Parameter("rise", &P::rise, AnySpeed()),
                       Parameter("call-reads", &P::call_reads, AnySpeed()),
                   }),
                   MakeSandbox);
}

}  // namespace ballast::sim
