// An operator's wish for one guest's size, as the steps that bring it there. Pure, like Decide, and made from
// the same facts; carried out by the control loop.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "host-bridge/policy/policy_config.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::policy {

enum class ResizeKind : uint8_t { kBalloon, kPlug, kUnplug };

struct ResizeStep {
  ResizeKind kind = ResizeKind::kBalloon;
  int64_t from_bytes = 0;  // of the balloon, or of what is plugged (PlugReading::requested_bytes)
  int64_t to_bytes = 0;

  friend bool operator==(const ResizeStep&, const ResizeStep&) = default;
};

struct ResizePlan {
  int64_t from_bytes = 0;
  int64_t to_bytes = 0;
  std::vector<ResizeStep> steps = {};  // one after the other; empty: it has that size
  std::string limit = {};              // why not exactly what was wished for; empty: it is

  friend bool operator==(const ResizePlan&, const ResizePlan&) = default;
};

// Why nothing can be planned, in one sentence.
using ResizeRefused = std::string;

// How much of what is plugged can leave when `wanted` bytes shall: at most that, since a DIMM leaves as a
// whole.
using Unpluggable = std::function<int64_t(int64_t wanted)>;

// A guest grows by its balloon as long as that holds something, then by what is plugged; it shrinks by what
// can be unplugged, in whole units, and by its balloon for the rest: unplugged memory needs no driver that
// holds it. `size_bytes` is brought within floor and ceiling, and a growth to what the host has above its
// reserve. What the guest uses does not bound a shrinking: that is the operator's word; but a guest that
// comes to need its memory meanwhile ends it. `size_bytes` > 0. Without `unpluggable` any number of whole
// units is taken to be able to leave.
[[nodiscard]] std::variant<ResizePlan, ResizeRefused> PlanResize(const Snapshot& snapshot, size_t guest,
                                                                 int64_t size_bytes,
                                                                 const PolicyConfig& config,
                                                                 MonotonicTime now,
                                                                 const Unpluggable& unpluggable = nullptr);

// The operator has commanded this balloon: the history goes on as if a rule had.
void NoteBalloonCommand(const GuestFacts& facts, BalloonBytes target, MonotonicTime now,
                        GuestHistory& history);

// The operator has commanded so much plugged memory (PlugReading::requested_bytes): noted as if a rule had,
// so that a guest which needs what leaves keeps it (rule 9).
void NotePlugCommand(const GuestFacts& facts, int64_t target_bytes, MonotonicTime now, GuestHistory& history);
// That command was called off, or failed: nothing more is expected of it.
void ForgetPlugCommand(int64_t target_bytes, GuestHistory& history);

// What the guest can use: boot memory and what is plugged, less the balloon.
[[nodiscard]] int64_t SizeOf(const VmmReading& reading);

}  // namespace ballast::policy
