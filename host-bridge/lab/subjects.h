// What there is to simulate: scenario files and controllers.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "host-bridge/lab/report/comparison.h"

namespace ballast::sim {

// Where scenarios are looked for by name, and taken from when none is given; below the present directory.
inline constexpr char kScenarioFolder[] = "scenarios";

// Each path is a file, a folder (its *.scenario files by name) or the bare name of one in kScenarioFolder;
// none: that folder. Errors: InvalidArgument with every fault of every file, one a line; two files of one
// name are a fault.
[[nodiscard]] absl::StatusOr<std::vector<Subject>> LoadSubjects(const std::vector<std::string>& paths);

// The subjects with these policy settings, "KEY=VALUE" as in the bridge's configuration, on top of their
// files'. Errors: InvalidArgument for an unknown key, an unreadable value or a policy that is not valid.
[[nodiscard]] absl::StatusOr<std::vector<Subject>> WithPolicy(std::vector<Subject> subjects,
                                                              const std::vector<std::string>& settings);

// Ballast first, then its variant, then the rivals.
[[nodiscard]] std::vector<Contender> AllContenders();

// Those named in `list` ("a,b"), in its order; all for an empty one. Errors: InvalidArgument naming those
// known.
[[nodiscard]] absl::StatusOr<std::vector<Contender>> ChooseContenders(const std::string& list);

}  // namespace ballast::sim
