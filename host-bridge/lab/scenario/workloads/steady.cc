#include "host-bridge/lab/scenario/workloads/steady.h"

namespace ballast::sim {
namespace {

class SteadyWorkload : public Workload {
 public:
  explicit SteadyWorkload(const Segment& segment) : segment_(segment) {}
  Segment Next() override { return segment_; }

 private:
  const Segment segment_;
};

}  // namespace

std::unique_ptr<Workload> MakeSteady(const Steady& parameters, int64_t boot_bytes, const Random&) {
  return std::make_unique<SteadyWorkload>(
      SegmentOf(parameters, parameters.step, ShareOf(boot_bytes, parameters.used), parameters.rise));
}

WorkloadKind SteadyKind() {
  using P = Steady;
  return KindOf<P>("steady",
                   WithFileUse<P>({
                       Parameter("used", &P::used, AnyShare()),
                       Parameter("rise", &P::rise, AnySpeed()),
                       Parameter("step", &P::step, SomeTime()),
                   }),
                   MakeSteady);
}

}  // namespace ballast::sim
