// The numbers of PolicyConfig by name, for the journal's header. A test compares this list with the struct.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "host-bridge/policy/policy_config.h"

namespace ballast::record {

struct PolicyField {
  using P = policy::PolicyConfig;
  std::string_view name;  // as in policy_config.h
  std::variant<int32_t P::*, int64_t P::*, Nanos P::*> member;

  // Durations in nanoseconds.
  [[nodiscard]] int64_t Get(const P& config) const;
  // False: the value does not fit the field, which is left as it was.
  [[nodiscard]] bool Set(int64_t value, P& config) const;
};

[[nodiscard]] const std::vector<PolicyField>& PolicyFields();

}  // namespace ballast::record
