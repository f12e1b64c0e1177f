#include "host-bridge/lab/report/comparison.h"

#include <mutex>

#include "host-bridge/lab/report/work_queue.h"

namespace ballast::sim {
namespace {

ScenarioStandings EmptyStandings(const Subject& subject, const std::vector<Contender>& contenders,
                                 const Effort& effort) {
  const WorldPlan plan = subject.plan(effort.first_seed, 0);
  ScenarioStandings scenario{subject.name,
                             subject.title,
                             subject.expectations,
                             static_cast<int>(plan.guests.size()),
                             plan.length,
                             plan.host.total_bytes,
                             {}};
  for (const Contender& contender : contenders) {
    Standing standing{contender.kind.name, contender.ours, {}};
    standing.worlds.resize(static_cast<size_t>(effort.seeds));
    scenario.standings.push_back(std::move(standing));
  }
  return scenario;
}

}  // namespace

Comparison Compare(const std::vector<Subject>& subjects, const std::vector<Contender>& contenders,
                   const Effort& effort, const Runner& run) {
  Comparison comparison{effort.first_seed, effort.seeds, contenders, {}};
  for (const Subject& subject : subjects) {
    comparison.scenarios.push_back(EmptyStandings(subject, contenders, effort));
  }
  const size_t seeds = static_cast<size_t>(effort.seeds);
  const size_t jobs = subjects.size() * contenders.size() * seeds;
  std::mutex mutex;
  size_t done = 0;
  // Neighbouring jobs are the contenders of one seed: the slow scenarios are spread over all threads.
  ForEach(jobs, effort.threads, [&](size_t job) {
    const size_t contender = job % contenders.size();
    const size_t seed = job / contenders.size() % seeds;
    const size_t scenario = job / contenders.size() / seeds;
    const WorldPlan plan = subjects[scenario].plan(effort.first_seed + seed, 0);
    WorldResult& world = comparison.scenarios[scenario].standings[contender].worlds[seed];
    world = {plan.seed, plan.length, run(plan, contenders[contender].kind, {}).measures};
    if (!effort.progress) return;
    const std::lock_guard lock(mutex);
    effort.progress(++done, jobs);
  });
  return comparison;
}

}  // namespace ballast::sim
