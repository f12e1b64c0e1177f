#include "host-bridge/config/print_config.h"

#include "common/base/text.h"
#include "host-bridge/config/config_keys.h"

namespace ballast::config {
namespace {

template <typename T>
std::string PrintSection(std::string_view name, const std::vector<Key<T>>& keys, const T& values) {
  std::string text = StrCat("[", name, "]\n");
  for (const auto& key : keys) {
    if (const std::string value = key.write(values); !value.empty())
      text += StrCat(key.name, " = ", value, "\n");
  }
  return text;
}

}  // namespace

std::string PrintConfig(const BridgeConfig& config) {
  std::string text = PrintSection("bridge", BridgeKeys(), config);
  text += "\n" + PrintSection("policy", PolicyKeys(), config.policy);
  for (const GuestEntry& guest : config.guests) {
    text += "\n" + PrintSection(StrCat("guest ", guest.limits.name), GuestKeys(), guest);
  }
  return text;
}

}  // namespace ballast::config
