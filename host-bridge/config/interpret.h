// What configuration texts mean: the struct, or every fault of all of them at once. Pure.
#pragma once

#include <string>
#include <vector>

#include "host-bridge/config/bridge_config.h"

namespace ballast::config {

struct ConfigText {
  std::string file;  // for the faults
  std::string text;
};

struct Loaded {
  BridgeConfig config;  // to be used only when there is no fault
  // Each "FILE:LINE: [section] key = value: what is wrong; what would be right".
  std::vector<std::string> faults;
};

// Sections: [bridge], [policy] and a [guest NAME] for each guest, NAME being 1..64 of A-Z a-z 0-9 . _ -.
// The texts count as one: [bridge] and [policy] may be spread over them, a key or a guest may not come twice.
[[nodiscard]] Loaded Interpret(const std::vector<ConfigText>& texts);

}  // namespace ballast::config
