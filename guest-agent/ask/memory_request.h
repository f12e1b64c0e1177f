// What a tool in the guest asks for, and what it is answered; without wire types.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ballast::agent {

// Larger means more urgent.
enum class Urgency : uint8_t { kLow = 1, kNormal = 2, kKill = 3 };

// A name that owns no memory: it is copied into every watcher's queue.
struct AskerName {
  std::array<char, 64> text{};
  uint8_t size = 0;
};

// The first 64 bytes of `name`.
[[nodiscard]] inline AskerName ToAskerName(std::string_view name) {
  AskerName asker;
  asker.size = static_cast<uint8_t>(std::min(name.size(), asker.text.size()));
  std::copy_n(name.begin(), asker.size, asker.text.begin());
  return asker;
}

[[nodiscard]] inline std::string_view ToText(const AskerName& name) { return {name.text.data(), name.size}; }

struct MemoryRequested {
  uint64_t id = 0;  // given by the board
  int64_t bytes = 0;
  Urgency urgency = Urgency::kNormal;
  int64_t deadline_ms = 0;  // from now on
  AskerName asker;
};

struct MemoryGrant {
  int64_t granted_bytes = 0;  // 0..what was asked for
  std::string actuator;       // empty: none
  int64_t eta_ms = 0;
  std::string reason;  // why not all of it

  friend bool operator==(const MemoryGrant&, const MemoryGrant&) = default;
};

}  // namespace ballast::agent
