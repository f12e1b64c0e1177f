#include "host-bridge/lab/report/density.h"

#include <algorithm>
#include <mutex>

#include "host-bridge/lab/report/work_queue.h"

namespace ballast::sim {
namespace {

constexpr int kSearchLimit = 1 << 14;  // guests; no plan larger than this is made

bool FitsStatically(const WorldPlan& plan) {
  int64_t needed = plan.host.others_bytes;
  for (const GuestPlan& guest : plan.guests) needed += guest.boot_bytes + plan.host.vmm_overhead_bytes;
  return needed <= plan.host.total_bytes;
}

// The largest n in 1..cap for which `fits`, 0 if not even one does. Begins at `start`, which is >= 1.
template <typename Fits>
int LargestFitting(int start, int cap, const Fits& fits) {
  int good = 0;
  int bad = cap + 1;
  int probe = std::clamp(start, 1, cap);
  while (bad - good > std::max(1, good / 100)) {
    (fits(probe) ? good : bad) = probe;
    if (good == 0) {
      probe = bad / 2;
    } else if (bad == cap + 1) {
      probe = std::min(good * 2, cap);
    } else {
      probe = good + (bad - good) / 2;
    }
    if (probe == 0) break;
  }
  return good;
}

struct Trial {
  const Subject& subject;
  const Contender& contender;
  const Effort& effort;
  const Runner& run;
  bool must_fit_statically = false;
  int worlds_run = 0;

  bool Keeps(int guests) {
    for (int i = 0; i < effort.seeds; ++i) {
      const WorldPlan plan = subject.plan(effort.first_seed + static_cast<uint64_t>(i), guests);
      if (must_fit_statically && !FitsStatically(plan)) return false;
      ++worlds_run;
      if (!KeepsService(run(plan, contender.kind, {}).measures)) return false;
    }
    return true;
  }
};

}  // namespace

bool KeepsService(const Measures& measures) {
  return measures.guest_oom_kills == 0 && measures.host_oom_kills == 0 && measures.host_swapping.count == 0 &&
         static_cast<double>(measures.stalled.count) <=
             kStallShare * static_cast<double>(measures.guest_time.count);
}

int StaticFit(const Subject& subject, uint64_t seed) {
  return LargestFitting(subject.guests, kSearchLimit,
                        [&](int guests) { return FitsStatically(subject.plan(seed, guests)); });
}

std::optional<double> ScenarioDensity::Ratio(const std::string& controller, const std::string& other) const {
  const auto guests_of = [&](const std::string& name) {
    const auto found = std::find_if(densities.begin(), densities.end(),
                                    [&](const Density& density) { return density.controller == name; });
    return found == densities.end() ? 0 : found->guests;
  };
  if (guests_of(controller) == 0 || guests_of(other) == 0) return std::nullopt;
  return static_cast<double>(guests_of(controller)) / guests_of(other);
}

std::vector<ScenarioDensity> MeasureDensity(const std::vector<Subject>& subjects,
                                            const std::vector<Contender>& contenders, const Effort& effort,
                                            const Runner& run, const DensityOptions& options) {
  std::vector<ScenarioDensity> results;
  std::vector<const Subject*> measured;
  for (const Subject& subject : subjects) {
    if (!subject.measures_density) continue;
    const int fit = StaticFit(subject, effort.first_seed);
    const int cap = std::min(kSearchLimit, std::max(1, fit) * options.cap_times_static);
    results.push_back({subject.name, fit, cap, std::vector<Density>(contenders.size())});
    measured.push_back(&subject);
  }
  const size_t jobs = measured.size() * contenders.size();
  std::mutex mutex;
  size_t done = 0;
  ForEach(jobs, effort.threads, [&](size_t job) {
    const Contender& contender = contenders[job % contenders.size()];
    ScenarioDensity& result = results[job / contenders.size()];
    Trial trial{*measured[job / contenders.size()], contender, effort, run,
                contender.kind.name == options.static_controller};
    const int guests =
        LargestFitting(std::max(1, result.static_fit), result.cap, [&](int n) { return trial.Keeps(n); });
    result.densities[job % contenders.size()] = {contender.kind.name, contender.ours, guests,
                                                 guests == result.cap, trial.worlds_run};
    if (!effort.progress) return;
    const std::lock_guard lock(mutex);
    effort.progress(++done, jobs);
  });
  return results;
}

}  // namespace ballast::sim
