#include "host-bridge/lab/scenario/workloads/idle_heavy.h"

#include <algorithm>
#include <cmath>

namespace ballast::sim {
namespace {

class IdleHeavyWorkload : public Workload {
 public:
  IdleHeavyWorkload(const IdleHeavy& parameters, int64_t boot_bytes, const Random& random)
      : p_(parameters), boot_bytes_(boot_bytes), random_(random), wavering_(random_.Normal()) {
    next_job_ = random_.ExponentialTime(p_.job_gap);
  }

  Segment Next() override {
    wavering_ =
        p_.correlation * wavering_ + std::sqrt(1 - p_.correlation * p_.correlation) * random_.Normal();
    StepJob();
    const double calm = p_.median * 1e-4 * std::exp(p_.spread * wavering_);
    const double share = std::min(calm + job_, 1.0);
    now_ = now_ + p_.step;
    return SegmentOf(p_, p_.step, static_cast<int64_t>(share * static_cast<double>(boot_bytes_)), p_.rise);
  }

 private:
  // The job's part of the level: none, a beginning, its peak, or what is left of it.
  void StepJob() {
    job_ *= p_.decay;
    if (coming_ > 0) {
      job_ = std::max(job_, coming_);
      coming_ = 0;
      return;
    }
    if (now_ < next_job_) return;
    next_job_ = now_ + random_.ExponentialTime(p_.job_gap);
    const double peak = std::max(0, random_.In(p_.job) - p_.median) * 1e-4;
    if (random_.Chance(p_.early)) {
      coming_ = peak;
      job_ = std::max(job_, peak * random_.In(Between<double>{0.2, 0.6}));
    } else {
      job_ = std::max(job_, peak);
    }
  }

  const IdleHeavy p_;
  const int64_t boot_bytes_;
  Random random_;
  double wavering_;
  double job_ = 0;     // shares of boot memory
  double coming_ = 0;  // in the next step
  Nanos now_;
  Nanos next_job_;
};

}  // namespace

std::unique_ptr<Workload> MakeIdleHeavy(const IdleHeavy& parameters, int64_t boot_bytes,
                                        const Random& random) {
  return std::make_unique<IdleHeavyWorkload>(parameters, boot_bytes, random);
}

WorkloadKind IdleHeavyKind() {
  using P = IdleHeavy;
  return KindOf<P>("idle-heavy",
                   WithFileUse<P>({
                       Parameter("median", &P::median, AnyShare()),
                       Parameter("spread", &P::spread, NumberText(0, 3)),
                       Parameter("correlation", &P::correlation, NumberText(0, 0.999)),
                       Parameter("step", &P::step, SomeTime()),
                       Parameter("job-gap", &P::job_gap, SomeTime()),
                       Parameter("job", &P::job, AnyShare()),
                       Parameter("early", &P::early, NumberText(0, 1)),
                       Parameter("decay", &P::decay, NumberText(0, 0.999)),
                       Parameter("rise", &P::rise, AnySpeed()),
                   }),
                   MakeIdleHeavy);
}

}  // namespace ballast::sim
