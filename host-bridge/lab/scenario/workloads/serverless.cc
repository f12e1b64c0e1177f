#include "host-bridge/lab/scenario/workloads/serverless.h"

#include <algorithm>
#include <vector>

namespace ballast::sim {
namespace {

constexpr double kMostInstance = 1e12;  // bytes; the Burr distribution has no end of its own

class ServerlessWorkload : public Workload {
 public:
  ServerlessWorkload(const Serverless& parameters, int64_t boot_bytes, const Random& random)
      : p_(parameters),
        most_bytes_(ShareOf(boot_bytes, p_.most)),
        random_(random),
        used_bytes_(std::min(p_.base, most_bytes_)) {
    busy_until_ = {0};
    next_arrival_ = random_.ExponentialTime(p_.quiet);  // the first busy time begins with its first instance
  }

  Segment Next() override {
    Happen();
    Nanos until = next_arrival_;
    for (const Instance& instance : instances_) until = std::min(until, instance.ends);
    const Nanos length = std::max(until - now_, Milliseconds(1));
    now_ = now_ + length;
    return SegmentOf(p_, length, used_bytes_, p_.rise);
  }

 private:
  struct Instance {
    Nanos ends;
    int64_t bytes = 0;
  };

  // What is due at `now_`: instances leave, one arrives.
  void Happen() {
    std::erase_if(instances_, [&](const Instance& instance) {
      if (instance.ends > now_) return false;
      used_bytes_ -= instance.bytes;
      return true;
    });
    if (next_arrival_ > now_) return;
    if (now_ > busy_until_) busy_until_ = now_ + random_.ExponentialTime(p_.busy);
    const double drawn = random_.Burr(p_.burr_c, p_.burr_k, static_cast<double>(p_.scale));
    const Instance arriving{now_ + random_.ExponentialTime(p_.stays),
                            static_cast<int64_t>(std::min(drawn, kMostInstance))};
    if (used_bytes_ + arriving.bytes <= most_bytes_) {
      instances_.push_back(arriving);
      used_bytes_ += arriving.bytes;
    }
    next_arrival_ = now_ + random_.ExponentialTime(p_.arrival_gap);
    if (next_arrival_ > busy_until_) next_arrival_ = busy_until_ + random_.ExponentialTime(p_.quiet);
  }

  const Serverless p_;
  const int64_t most_bytes_;
  Random random_;
  std::vector<Instance> instances_;
  int64_t used_bytes_;
  Nanos now_;
  Nanos busy_until_;
  Nanos next_arrival_;
};

}  // namespace

std::unique_ptr<Workload> MakeServerless(const Serverless& parameters, int64_t boot_bytes,
                                         const Random& random) {
  return std::make_unique<ServerlessWorkload>(parameters, boot_bytes, random);
}

WorkloadKind ServerlessKind() {
  using P = Serverless;
  return KindOf<P>("serverless",
                   WithFileUse<P>({
                       Parameter("base", &P::base, AnySize()),
                       Parameter("burr-c", &P::burr_c, NumberText(0.1, 100)),
                       Parameter("burr-k", &P::burr_k, NumberText(0.01, 100)),
                       Parameter("scale", &P::scale, SizeText(kMiB, 1024 * kGiB)),
                       Parameter("arrival-gap", &P::arrival_gap, SomeTime()),
                       Parameter("stays", &P::stays, SomeTime()),
                       Parameter("busy", &P::busy, SomeTime()),
                       Parameter("quiet", &P::quiet, SomeTime()),
                       Parameter("most", &P::most, AnyShare()),
                       Parameter("rise", &P::rise, AnySpeed()),
                   }),
                   MakeServerless);
}

}  // namespace ballast::sim
