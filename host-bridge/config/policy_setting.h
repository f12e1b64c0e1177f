// One setting of the policy as it is written on a command line. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "host-bridge/policy/policy_config.h"

namespace ballast::config {

// "pressed-min=128MiB": a key of [policy] and its value, laid over `policy`. Errors say what is wrong and
// suggest the key that may be meant; whether the numbers go together is Validate()'s business.
[[nodiscard]] absl::Status ApplyPolicySetting(std::string_view setting, policy::PolicyConfig& policy);

// What Validate() finds, with the keys of [policy] for the names of its fields.
[[nodiscard]] std::vector<std::string> PolicyFaults(const policy::PolicyConfig& policy);

}  // namespace ballast::config
