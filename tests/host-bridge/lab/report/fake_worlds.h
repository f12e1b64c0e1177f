// Scenarios and runs made up for tests of the report: what a "run" yields follows from controller, seed and
// guests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host-bridge/lab/report/comparison.h"

namespace ballast::sim {

// A host of `host_bytes`, guests of 1 GiB each, worlds of an hour.
inline Subject MakeSubject(std::string name, int guests = 4, int64_t host_bytes = 16 * kGiB) {
  Subject subject;
  subject.name = name;
  subject.title = "Guests that do " + name;
  subject.measures_density = true;
  subject.guests = guests;
  subject.plan = [name, guests, host_bytes](uint64_t seed, int wanted) {
    WorldPlan plan;
    plan.scenario = name;
    plan.seed = seed;
    plan.length = Seconds(3600);
    plan.host.total_bytes = host_bytes;
    plan.host.others_bytes = kGiB;
    plan.host.vmm_overhead_bytes = 0;
    for (int i = 0; i < (wanted == 0 ? guests : wanted); ++i) {
      GuestPlan guest;
      guest.limits.name = "guest" + std::to_string(i);
      plan.guests.push_back(guest);
    }
    return plan;
  };
  return subject;
}

inline Contender MakeContender(std::string name, bool ours = false) {
  ControllerKind kind;
  kind.name = std::move(name);
  kind.source = "made up for a test";
  return {kind, ours};
}

// An uneventful run: all guests run throughout, half of each resident and a quarter in use.
inline RunResult CalmRun(const WorldPlan& plan, const RunOptions& options = {}) {
  const auto guests = static_cast<int64_t>(plan.guests.size());
  const double seconds = static_cast<double>(plan.length.count) / 1e9;
  RunResult result;
  result.measures.guest_time = plan.length * guests;
  result.measures.resident_byte_seconds = static_cast<double>(guests * kGiB / 2) * seconds;
  result.measures.used_byte_seconds = static_cast<double>(guests * kGiB / 4) * seconds;
  result.measures.host_peak_bytes = guests * kGiB / 2;
  if (options.sample_every.count <= 0) return result;
  for (Nanos at; at <= plan.length; at = at + options.sample_every) {
    Sample sample{};
    sample.at = at;
    sample.host_used = guests * kGiB / 2;
    sample.guests_size = guests * kGiB;
    sample.guests_resident = guests * kGiB / 2;
    sample.guests_used = guests * kGiB / 4;
    sample.guest_size.assign(plan.guests.size(), kGiB);
    sample.guest_used.assign(plan.guests.size(), kGiB / 4);
    result.samples.push_back(sample);
  }
  return result;
}

}  // namespace ballast::sim
