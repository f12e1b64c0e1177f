// What a decision says: at most one action a guest, each with the rule that made it and the numbers it used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host-bridge/policy/snapshot.h"

namespace ballast::policy {

// The numbers are those of docs/rules.md.
enum class Rule : uint8_t {
  kNone = 0,
  kCriticalRelease = 1,
  kSilentGuest = 2,
  kBalloonShrankByItself = 3,
  kStalledBalloon = 4,
  kPressedGrow = 5,
  kOperatorHold = 6,
  kHostPressure = 7,
  kIdleGuest = 8,
  kPlug = 9,
  kUnplug = 10,
  kClamp = 11,
  kRestartedGuest = 12,
  kUselessBalloon = 13,
  kMemoryRequest = 14,
};

// The inputs that made a rule fire, as data; Explain() turns them into the one sentence people read.
struct Reason {
  Rule rule = Rule::kNone;
  GuestState guest_state = GuestState::kSilent;
  HostState host_state = HostState::kUnknown;
  int64_t available_bytes = 0;
  int64_t threshold_bytes = 0;  // the limit that available was compared with
  int64_t consumption_bytes_per_second = 0;
  int32_t stall_permyriad = 0;
  int64_t wanted_bytes = 0;  // what the rule asked for before the clamp
  bool clamped = false;      // the clamp (rule 11) changed it
  Nanos age = {};            // of the report (rule 2: how long silent)
  // Where they made the guest pressed: what its zram still takes, what its kernel's zones have free.
  Maybe<int64_t> zram_left_bytes = {};
  Maybe<int64_t> kernel_headroom_bytes = {};

  friend bool operator==(const Reason&, const Reason&) = default;
};

// "Set this guest's balloon to `target`." Direction and amount follow from `from`.
struct Decision {
  size_t guest = 0;        // index into Snapshot::guests
  BalloonBytes from = {};  // what the step started at: actual or the earlier target, as the rule says
  BalloonBytes target = {};
  bool act = true;  // false in mode observe: shown, not done
  Reason reason = {};
  Maybe<MonotonicTime> pressure_onset = std::nullopt;

  friend bool operator==(const Decision&, const Decision&) = default;
};

// "Bring what is plugged into this guest to `target`" (PlugReading::requested_bytes). At most one decision of
// either kind a guest: while memory is plugged or unplugged its balloon rests.
struct PlugDecision {
  size_t guest = 0;  // index into Snapshot::guests
  int64_t from = 0;  // requested_bytes as it was
  int64_t target = 0;
  bool act = true;  // false in mode observe: shown, not done
  Reason reason = {};

  friend bool operator==(const PlugDecision&, const PlugDecision&) = default;
};

// A guest for which nothing is to be done now, and why that is worth saying (bad or missing input).
struct Hold {
  size_t guest = 0;
  enum class Why : uint8_t {
    kNoVmm,
    kNotRunning,
    kNoReport,
    kStaleReport,
    kBadReading,
    kBadLimits,
    kPlugStuck,  // what was plugged did not come into use: nothing more is plugged
    kNoPlugRoom  // it needs more, and the metadata of more would not fit its kernel's zones
  } why = Why::kNoVmm;

  friend bool operator==(const Hold&, const Hold&) = default;
};

// Why a guest does not get all that it asked for.
enum class Refusal : uint8_t {
  kNone,       // it does
  kUnmanaged,  // no fresh VMM, or limits that contradict one another
  kNotHeard,   // no report that can be believed
  kNotActing,  // mode observe or off
  kHostUnknown,
  kHostShort,
  kNothingTaken,  // it has what its ceiling allows
};

// By what a request was granted.
enum class Actuator : uint8_t { kBalloon, kHotplug };

// What a guest's request is answered, once.
struct Answer {
  size_t guest = 0;           // index into Snapshot::guests
  int64_t request = 0;        // its id
  int64_t granted_bytes = 0;  // commanded, and on their way
  Nanos eta = {};             // until they have all arrived
  Refusal why = Refusal::kNone;
  Actuator actuator = Actuator::kBalloon;

  friend bool operator==(const Answer&, const Answer&) = default;
};

struct Outcome {
  std::vector<Decision> decisions = {};      // sorted by guest index
  std::vector<PlugDecision> plugs = {};      // sorted by guest index
  std::vector<Hold> holds = {};              // sorted by guest index
  std::vector<Answer> answers = {};          // sorted by guest index
  std::vector<GuestHistory> histories = {};  // one a guest, same order as the snapshot
  HostHistory host_history = {};

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

}  // namespace ballast::policy
