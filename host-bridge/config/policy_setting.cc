#include "host-bridge/config/policy_setting.h"

#include <algorithm>
#include <vector>

#include "common/base/text.h"
#include "host-bridge/config/config_keys.h"
#include "host-bridge/config/value_text.h"

namespace ballast::config {
namespace {

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

absl::Status ApplyPolicySetting(std::string_view setting, policy::PolicyConfig& policy) {
  const size_t equals = setting.find('=');
  if (equals == std::string_view::npos) {
    return absl::InvalidArgumentError(
        StrCat("'", setting, "': has no '='; write for example 'pressed-min=128MiB'"));
  }
  const std::string_view name = Trimmed(setting.substr(0, equals));
  std::vector<std::string_view> known;
  for (const auto& key : PolicyKeys()) {
    if (key.name == name) {
      const absl::Status status = key.read(Trimmed(setting.substr(equals + 1)), policy);
      return status.ok() ? status : WithContext(setting, status);
    }
    known.push_back(key.name);
  }
  const std::string_view near = Nearest(name, known);
  const std::string hint =
      near.empty() ? "docs/examples/bridge.conf lists them" : StrCat("did you mean '", near, "'?");
  return absl::InvalidArgumentError(StrCat("'", setting, "': unknown key of [policy]; ", hint));
}

std::vector<std::string> PolicyFaults(const policy::PolicyConfig& policy) {
  std::vector<std::string> faults = policy.Validate();
  for (std::string& fault : faults) {
    // "field: must not be above other_field"
    const size_t colon = std::min(fault.find(':'), fault.size());
    const size_t last_word = fault.rfind(' ') + 1;
    const auto* other = PolicyKeyOf(std::string_view(fault).substr(last_word));
    if (other != nullptr)
      fault = StrCat(fault.substr(0, last_word), other->name, " = ", other->write(policy));
    const auto* key = PolicyKeyOf(std::string_view(fault).substr(0, colon));
    if (key != nullptr) fault = StrCat(key->name, " = ", key->write(policy), fault.substr(colon));
  }
  return faults;
}

}  // namespace ballast::config
