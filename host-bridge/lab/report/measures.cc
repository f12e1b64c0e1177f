#include "host-bridge/lab/report/measures.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "host-bridge/lab/report/number_text.h"

namespace ballast::sim {
namespace {

double Count(int64_t count) { return static_cast<double>(count); }

double InSeconds(Nanos time) { return static_cast<double>(time.count) / 1e9; }

}  // namespace

const std::vector<MeasureValue>& MeasureValues() {
  static const auto& values = *new std::vector<MeasureValue>{
      {"guest_oom_kills", "", "processes killed by guests' kernels for want of memory",
       [](const WorldResult& w) { return Count(w.measures.guest_oom_kills); }},
      {"kills_with_headroom", "",
       "of these, kills while the host had the missing memory free above its reserve",
       [](const WorldResult& w) { return Count(w.measures.kills_with_headroom); }},
      {"host_oom_kills", "", "whole VMs killed by the host's kernel",
       [](const WorldResult& w) { return Count(w.measures.host_oom_kills); }},
      {"starved_seconds", "s", "guest time with MemAvailable below 2 % of usable memory",
       [](const WorldResult& w) { return InSeconds(w.measures.starved); }},
      {"starved_by_us_seconds", "s",
       "of this, time in which the balloon held what was missing and the host had it above its reserve",
       [](const WorldResult& w) { return InSeconds(w.measures.starved_by_us); }},
      {"stalled_seconds", "s", "PSI memory \"some\" of the guests, integrated over guest time",
       [](const WorldResult& w) { return InSeconds(w.measures.stalled); }},
      {"stall_seconds_per_guest_hour", "s", "stalled_seconds for each hour of guest time",
       [](const WorldResult& w) {
         return Ratio(InSeconds(w.measures.stalled) * 3600, InSeconds(w.measures.guest_time));
       }},
      {"host_swapping_seconds", "s", "host time in which the host's memory did not suffice",
       [](const WorldResult& w) { return InSeconds(w.measures.host_swapping); }},
      {"residency_amplification", "",
       "host memory behind the guests over memory in use in them (page cache included), both over time",
       [](const WorldResult& w) { return w.measures.residency_amplification(); }},
      {"mean_resident_bytes", "bytes", "host memory behind the guests, mean over time",
       [](const WorldResult& w) { return Ratio(w.measures.resident_byte_seconds, InSeconds(w.length)); }},
      {"host_peak_bytes", "bytes", "most memory of the host in use at any time",
       [](const WorldResult& w) { return Count(w.measures.host_peak_bytes); }},
      {"reversals", "",
       "moves of a target by more than 64 MiB against such a move less than 10 minutes before",
       [](const WorldResult& w) { return Count(w.measures.reversals); }},
      {"bytes_taken", "bytes", "memory moved into balloons",
       [](const WorldResult& w) { return Count(w.measures.bytes_taken); }},
      {"bytes_given", "bytes", "memory moved out of balloons",
       [](const WorldResult& w) { return Count(w.measures.bytes_given); }},
      {"commands", "", "new targets sent to balloons",
       [](const WorldResult& w) { return Count(w.measures.commands); }},
  };
  return values;
}

const MeasureValue* FindMeasure(std::string_view name) {
  for (const MeasureValue& measure : MeasureValues()) {
    if (measure.name == name) return &measure;
  }
  return nullptr;
}

std::string ValueText(const MeasureValue& measure, double value) {
  if (measure.unit == "bytes") return GibText(value) + " GiB";
  // Small shares and ratios near 1 need their digits.
  if (measure.unit.empty() && value != 0 && std::fabs(value) < 10) return absl::StrFormat("%.4g", value);
  return measure.unit.empty() ? RateText(value) : StrCat(RateText(value), " ", measure.unit);
}

std::vector<Judgement> JudgeExpectations(const std::vector<Expectation>& expectations,
                                         const std::vector<WorldResult>& worlds) {
  std::vector<Judgement> judgements;
  for (const Expectation& expectation : expectations) {
    const bool at_most = expectation.relation == Expectation::Relation::kAtMost;
    Judgement judgement{expectation, FindMeasure(expectation.measure), 0, std::nullopt};
    const double best = std::numeric_limits<double>::infinity();
    judgement.worst = at_most ? -best : best;
    for (const WorldResult& world : worlds) {
      if (judgement.measure == nullptr) break;
      const double value = judgement.measure->of(world);
      judgement.worst = at_most ? std::max(judgement.worst, value) : std::min(judgement.worst, value);
      const bool kept = at_most ? value <= expectation.limit : value >= expectation.limit;
      if (!kept && !judgement.first_failed_seed) judgement.first_failed_seed = world.seed;
    }
    judgements.push_back(judgement);
  }
  return judgements;
}

std::string TextOf(const Judgement& judgement) {
  const Expectation& expectation = judgement.expectation;
  if (judgement.measure == nullptr) return StrCat(expectation.measure, ": MISSED, no measure has this name");
  const bool at_most = expectation.relation == Expectation::Relation::kAtMost;
  const std::string promise = StrCat(expectation.measure, at_most ? " at most " : " at least ",
                                     ValueText(*judgement.measure, expectation.limit));
  const std::string worst = ValueText(*judgement.measure, judgement.worst);
  if (judgement.kept()) return StrCat(promise, ": kept, worst ", worst);
  return StrCat(promise, ": MISSED, worst ", worst, ", first with seed ", *judgement.first_failed_seed);
}

}  // namespace ballast::sim
