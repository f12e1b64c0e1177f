// Every key of the configuration as data: its name, how its value is read into the struct and written back.
// The reader, the printer and the suggestions for misspelt keys all use these three tables.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "host-bridge/config/bridge_config.h"

namespace ballast::config {

template <typename T>
struct Key {
  std::string_view name;
  // Sets the field, or says what is wrong with the text and leaves it alone.
  std::function<absl::Status(std::string_view, T&)> read;
  // The field's text; empty where it is unset and the key is to be left out.
  std::function<std::string(const T&)> write;
  // What to write there, for a key without a default; empty for the others.
  std::string_view required_example = "";
  // PolicyConfig's own name of the field, which Validate() uses.
  std::string_view field = "";
};

[[nodiscard]] const std::vector<Key<BridgeConfig>>& BridgeKeys();
[[nodiscard]] const std::vector<Key<policy::PolicyConfig>>& PolicyKeys();
// The key of [policy] for a field of PolicyConfig; nullptr: none has that name.
[[nodiscard]] const Key<policy::PolicyConfig>* PolicyKeyOf(std::string_view field);
[[nodiscard]] const std::vector<Key<GuestEntry>>& GuestKeys();

// "debug", "info", "warning", "error".
[[nodiscard]] absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text);

}  // namespace ballast::config
