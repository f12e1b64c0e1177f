// The values of the measures that scenario/measure_list.h names, and what became of a scenario's promises.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host-bridge/lab/report/world_result.h"
#include "host-bridge/lab/scenario/scenario.h"

namespace ballast::sim {

struct MeasureValue {
  std::string_view name;
  std::string_view unit;  // "", "s", "bytes"
  std::string_view definition;
  double (*of)(const WorldResult&) = nullptr;
};

// One for each of kMeasures, in that order.
[[nodiscard]] const std::vector<MeasureValue>& MeasureValues();

// Null for a name that no measure has.
[[nodiscard]] const MeasureValue* FindMeasure(std::string_view name);

// The value for people, with its unit.
[[nodiscard]] std::string ValueText(const MeasureValue& measure, double value);

// One promise of a scenario over many worlds.
struct Judgement {
  Expectation expectation;
  const MeasureValue* measure = nullptr;      // null: the expectation names none that exists
  double worst = 0;                           // of all worlds
  std::optional<uint64_t> first_failed_seed;  // absent: kept in every world

  [[nodiscard]] bool kept() const { return measure != nullptr && !first_failed_seed; }
};

[[nodiscard]] std::vector<Judgement> JudgeExpectations(const std::vector<Expectation>& expectations,
                                                       const std::vector<WorldResult>& worlds);

// "residency_amplification at most 1.25: kept, worst 1.12", "...: MISSED, worst 1.31, first with seed 7".
[[nodiscard]] std::string TextOf(const Judgement& judgement);

}  // namespace ballast::sim
