// Plays random stories against one invariant until enough guests have been decided for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/host-bridge/policy/property_story.h"
#include "tests/host-bridge/policy/random_world.h"

namespace ballast::policy {

struct Property {
  std::string_view name;  // I1 to I9
  Story (*make)(RandomWorld& random);
  Broken (*check)(const Story& story);
  int64_t default_steps =
      0;  // guests times looks in ctest of a release build; debug and sanitizer builds: 1/20
};

[[nodiscard]] const std::vector<Property>& Properties();
// Null when there is none of this name.
[[nodiscard]] const Property* FindProperty(std::string_view name);

struct Budget {
  uint64_t first_seed = 0;
  int64_t steps = 0;
};
// From BALLAST_PROPERTY_SEED and BALLAST_PROPERTY_STEPS, where those are set: a night's run is
//   BALLAST_PROPERTY_SEED=1 BALLAST_PROPERTY_STEPS=10000000000 policy_property_test
[[nodiscard]] Budget BudgetFor(const Property& property);
// As in a release build, whatever this one is and the environment says: what a mutant must be found within.
[[nodiscard]] Budget FullBudgetFor(const Property& property);

struct Failure {
  uint64_t seed = 0;
  int64_t steps = 0;  // until it was found
  std::string what;
  Story story;
};
[[nodiscard]] std::optional<Failure> RunProperty(const Property& property, const Budget& budget);

// The failure shrunk and written to `folder`/<invariant>-<seed>.txt, which is made; what to tell people.
[[nodiscard]] std::string Report(const Property& property, const Failure& failure, const std::string& folder);

}  // namespace ballast::policy
