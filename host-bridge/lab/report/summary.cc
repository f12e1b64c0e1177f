#include "host-bridge/lab/report/summary.h"

#include <algorithm>
#include <cmath>

#include "host-bridge/lab/report/number_text.h"

namespace ballast::sim {
namespace {

double Seconds(Nanos time) { return static_cast<double>(time.count) / 1e9; }

double Hours(Nanos time) { return Seconds(time) / 3600; }

// Counts are whole below 10,000.
std::string ShortCount(int64_t count) {
  return count < 10'000 ? CountText(count) : ShortText(static_cast<double>(count));
}

double NearestRank(std::vector<double> samples, double share) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(samples.size())));
  return samples[std::clamp<size_t>(rank, 1, samples.size()) - 1];
}

double StallRate(const Measures& measures) {
  return Ratio(Seconds(measures.stalled), Hours(measures.guest_time));
}

Spread SpreadOf(double overall, const std::vector<double>& each) {
  return {overall, NearestRank(each, 0.5), NearestRank(each, 0.99)};
}

}  // namespace

Summary Summarize(const std::vector<WorldResult>& worlds) {
  Summary summary;
  summary.worlds = worlds.size();
  std::vector<double> stalls;
  std::vector<double> amplifications;
  double seconds = 0;
  for (const WorldResult& world : worlds) {
    const Measures& measures = world.measures;
    summary.total += measures;
    summary.seconds.guest += Seconds(measures.guest_time);
    summary.seconds.starved += Seconds(measures.starved);
    summary.seconds.starved_by_us += Seconds(measures.starved_by_us);
    summary.seconds.stalled += Seconds(measures.stalled);
    summary.seconds.host_swapping += Seconds(measures.host_swapping);
    seconds += Seconds(world.length);
    if (measures.guest_oom_kills + measures.host_oom_kills > 0) ++summary.worlds_with_kills;
    stalls.push_back(StallRate(measures));
    amplifications.push_back(measures.residency_amplification());
  }
  summary.stall_seconds_per_guest_hour =
      SpreadOf(Ratio(summary.seconds.stalled, summary.seconds.guest / 3600), stalls);
  summary.amplification = SpreadOf(summary.total.residency_amplification(), amplifications);
  summary.mean_resident_bytes = Ratio(summary.total.resident_byte_seconds, seconds);
  summary.commands_per_guest_hour =
      Ratio(static_cast<double>(summary.total.commands), summary.seconds.guest / 3600);
  return summary;
}

const std::vector<Column>& Columns() {
  static const auto& columns = *new std::vector<Column>{
      {"OOM", "kills", "Processes killed by guests' kernels for want of memory, over all worlds.",
       [](const Summary& s) { return ShortCount(s.total.guest_oom_kills); }, true},
      {"with", "room",
       "Of these, kills while the host had the missing memory free above its reserve: no one needed to die.",
       [](const Summary& s) { return ShortCount(s.total.kills_with_headroom); }, true},
      {"VMs", "lost", "Whole VMs killed by the host's kernel because the host ran out of memory.",
       [](const Summary& s) { return ShortCount(s.total.host_oom_kills); }, true},
      {"low", "mem s", "Guest time, in seconds, with MemAvailable below 2 % of usable memory.",
       [](const Summary& s) { return ShortText(s.seconds.starved); }},
      {"of it", "ours",
       "Of this, seconds in which the balloon held what was missing and the host had it above its reserve.",
       [](const Summary& s) { return ShortText(s.seconds.starved_by_us); }, true},
      {"stall", "s/h", "Seconds in which some task of the guest waited for memory (PSI), a guest-hour.",
       [](const Summary& s) { return ShortText(s.stall_seconds_per_guest_hour.overall); }},
      {"stall", "p99", "The same in the world with the 99th percentile of all seeds.",
       [](const Summary& s) { return ShortText(s.stall_seconds_per_guest_hour.p99); }},
      {"resid", "/used",
       "Residency amplification: host memory behind the guests over memory in use in them (page cache "
       "included).",
       [](const Summary& s) { return RatioText(s.amplification.overall); }},
      {"mean", "GiB", "Host memory behind the guests, mean over time, in GiB.",
       [](const Summary& s) { return GibText(s.mean_resident_bytes); }},
      {"peak", "GiB", "Most memory of the host in use at any time in any world, in GiB.",
       [](const Summary& s) { return GibText(static_cast<double>(s.total.host_peak_bytes)); }},
      {"swap", "s", "Host time, in seconds, in which the host's memory did not suffice.",
       [](const Summary& s) { return ShortText(s.seconds.host_swapping); }, true},
      {"rever-", "sals",
       "Moves of a target by more than 64 MiB against such a move less than 10 minutes before.",
       [](const Summary& s) { return ShortCount(s.total.reversals); }},
      {"taken", "GiB", "Memory moved into balloons, in GiB.",
       [](const Summary& s) { return GibText(static_cast<double>(s.total.bytes_taken)); }},
      {"given", "GiB", "Memory moved out of balloons, in GiB.",
       [](const Summary& s) { return GibText(static_cast<double>(s.total.bytes_given)); }},
      {"cmds", "/h", "New targets sent to balloons, a guest-hour.",
       [](const Summary& s) { return ShortText(s.commands_per_guest_hour); }},
  };
  return columns;
}

}  // namespace ballast::sim
