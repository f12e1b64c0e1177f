// A scenario: a readable file that says what host and guests there are, what happens and what is expected.
// The format is in docs/scenarios.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "host-bridge/lab/scenario/planned_world.h"
#include "host-bridge/lab/scenario/scenario_spec.h"

namespace ballast::sim {

class Scenario {
 public:
  // `spec` as ReadScenario checked it.
  explicit Scenario(ScenarioSpec spec) : spec_(std::move(spec)) {}

  [[nodiscard]] const std::string& name() const { return spec_.name; }
  [[nodiscard]] const std::string& title() const { return spec_.title; }  // one sentence
  [[nodiscard]] const std::vector<Expectation>& expectations() const { return spec_.expectations; }
  // Whether "how many such guests fit on the host" is a question of this scenario.
  [[nodiscard]] bool measures_density() const { return spec_.density; }
  [[nodiscard]] int guests() const;  // as the file says
  // The world of this seed, with `guests` guests in the proportions of the file (0: as many as it says). One
  // more guest adds one and leaves the others as they were.
  [[nodiscard]] WorldPlan Plan(uint64_t seed, int guests = 0) const;

 private:
  ScenarioSpec spec_;
};

// `file` names the scenario ("scenarios/burst.scenario" is "burst") and stands in the faults.
// Errors: InvalidArgument with all faults, one a line: "FILE:LINE: [section] key: what is wrong; what would
// be right".
[[nodiscard]] absl::StatusOr<Scenario> ReadScenario(std::string_view file, std::string_view text);

}  // namespace ballast::sim
