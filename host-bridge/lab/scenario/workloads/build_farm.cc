#include "host-bridge/lab/scenario/workloads/build_farm.h"

#include <algorithm>

namespace ballast::sim {
namespace {

constexpr Nanos kMinute = Seconds(60);
// The files of a build are gone through about once in five minutes.
constexpr int64_t kCacheRoundSeconds = 300;

class BuildFarmWorkload : public CyclicWorkload {
 public:
  BuildFarmWorkload(const BuildFarm& parameters, int64_t boot_bytes, const Random& random)
      : p_(parameters), boot_bytes_(boot_bytes), random_(random) {}

 private:
  void Refill() override {
    AppendBuild();
    Segment clean = SegmentOf(p_, Seconds(1), ShareOf(boot_bytes_, p_.base), p_.rise);
    clean.drops_cache = true;
    Append(clean);
    Append(SegmentOf(p_, random_.In(p_.idle), ShareOf(boot_bytes_, p_.base), p_.rise));
  }

  // Minute by minute: a ramp, then a plateau, each minute off by some noise and never above the peak.
  void AppendBuild() {
    const Nanos length = random_.In(p_.build);
    const double base = p_.base * 1e-4;
    const double peak = std::max(base, std::max(0, random_.In(p_.peak) - p_.cache) * 1e-4);
    for (Nanos at; at < length; at = at + kMinute) {
      const double done = static_cast<double>(at.count) / static_cast<double>(length.count);
      const double ramp = p_.ramp > 0 ? std::min(1.0, done / (p_.ramp * 1e-4)) : 1.0;
      const double level = base + (peak - base) * ramp * (1 + p_.unrest * random_.Normal());
      const double share = std::clamp(level, base, peak);
      Segment minute = SegmentOf(p_, std::min(kMinute, length - at),
                                 static_cast<int64_t>(share * static_cast<double>(boot_bytes_)), p_.rise);
      const auto cache = static_cast<int64_t>(static_cast<double>(ShareOf(boot_bytes_, p_.cache)) * ramp);
      minute.hot_cache_bytes = std::max(minute.hot_cache_bytes, cache);
      minute.hot_reads_bytes_per_second += cache / kCacheRoundSeconds;
      minute.cold_reads_bytes_per_second += p_.build_reads;
      Append(minute);
    }
  }

  const BuildFarm p_;
  const int64_t boot_bytes_;
  Random random_;
};

}  // namespace

std::unique_ptr<Workload> MakeBuildFarm(const BuildFarm& parameters, int64_t boot_bytes,
                                        const Random& random) {
  return std::make_unique<BuildFarmWorkload>(parameters, boot_bytes, random);
}

WorkloadKind BuildFarmKind() {
  using P = BuildFarm;
  return KindOf<P>("build-farm",
                   WithFileUse<P>({
                       Parameter("base", &P::base, AnyShare()),
                       Parameter("peak", &P::peak, AnyShare()),
                       Parameter("cache", &P::cache, AnyShare()),
                       Parameter("build", &P::build, SomeTime()),
                       Parameter("ramp", &P::ramp, AnyShare()),
                       Parameter("idle", &P::idle, SomeTime()),
                       Parameter("unrest", &P::unrest, NumberText(0, 1)),
                       Parameter("rise", &P::rise, AnySpeed()),
                       Parameter("build-reads", &P::build_reads, AnySpeed()),
                   }),
                   MakeBuildFarm);
}

}  // namespace ballast::sim
