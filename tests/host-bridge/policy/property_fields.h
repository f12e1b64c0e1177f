// Every number of a story under a name, so that one list serves for writing, reading and shrinking it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/host-bridge/policy/property_story.h"

namespace ballast::policy {

enum class Unit : uint8_t { kNumber, kBytes, kSpan };

struct Field {
  std::string key;
  Unit unit = Unit::kNumber;
  std::optional<int64_t> value;    // instants count from the scene's `now`
  std::optional<int64_t> neutral;  // what says nothing: absent, zero or the default
  // Invalidates the list when `grows` or `presence` (then value 1 means present).
  std::function<void(std::optional<int64_t>)> set;
  bool grows = false;
  bool presence = false;
};

// In an order in which they can be set; refers to `story`, which must outlive the list.
[[nodiscard]] std::vector<Field> FieldsOf(Story& story);

// What guests and holds are called, which decides ties. Who is called "guest-<index>" or "hold-<index>" needs
// no word on it.
struct NameField {
  std::string key;
  std::string* name = nullptr;  // refers to the story
  std::string neutral;
};
[[nodiscard]] std::vector<NameField> NamesOf(Story& story);

}  // namespace ballast::policy
