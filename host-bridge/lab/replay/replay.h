// A journal's snapshots given to Decide once more: with the recorded policy, which must give the recorded
// outcomes to the last bit, or with another one, to see what it would have done.
//
// Two ways to treat the histories (cooldowns, dwells, targets) that one decision leaves for the next:
//
//   as recorded   Each entry is decided with the history recorded for it. Every entry stands for itself, so
//   each
//                 difference is one of this very moment. A policy that would have acted earlier says so at
//                 every entry until the recorded one acts too.
//   carried       Histories flow from one replayed decision to the next, as in a bridge: cooldowns, targets
//   and
//                 growing waits are those of the replayed policy. Where the bridge itself began a guest's
//                 history anew (restart, lost VMM), and after a gap, the replay does too.
//
// In both, readings stay as recorded: guests and balloons do not react to what the other policy would have
// commanded. Right after the first difference that is exact; long after it, it is only an indication. The
// simulator answers what would have become of a whole day.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "host-bridge/lab/replay/difference.h"
#include "host-bridge/policy/decide.h"
#include "host-bridge/record/journal_stream.h"

namespace ballast::replay {

enum class HistoryMode : uint8_t { kAsRecorded, kCarried };

struct ReplayRequest {
  HistoryMode mode = HistoryMode::kAsRecorded;
  // Turns the recorded policy into the one to replay with; empty: the recorded one. Errors end the replay.
  std::function<absl::Status(policy::PolicyConfig&)> change_policy = nullptr;
  // How many changed decisions are kept for the report; all are counted.
  size_t max_changes = 100;
};

// What is done for one guest at one entry: nothing, its balloon, or what is plugged into it.
using GuestStep = std::variant<std::monostate, policy::Decision, policy::PlugDecision>;

// A decision that the replayed policy makes otherwise. Repetitions of the same one, entry after entry, are
// one.
struct Change {
  int64_t entry = 0;  // from 1
  MonotonicTime at;
  std::string guest;
  GuestStep recorded;
  GuestStep replayed;
  int64_t repeated = 0;  // in this many later entries as well
};

// Numbers of decisions by rule.
using RuleCounts = std::map<policy::Rule, int64_t>;

struct FirstFault {
  int64_t entry = 0;
  MonotonicTime at;
  Difference difference;
};

struct ReplayReport {
  record::JournalHeader header;  // the first one
  int64_t runs = 0;              // headers: starts of the bridge and of files
  bool same_policy = true;
  MonotonicTime first_at;
  MonotonicTime last_at;
  int64_t entries = 0;
  uint64_t lost_entries = 0;        // noted in the journal itself
  std::vector<std::string> damage;  // at most 20; damage_count counts all
  int64_t damage_count = 0;
  std::optional<std::string> cut;
  int64_t different_entries = 0;    // outcome or histories
  std::optional<FirstFault> first;  // the first of them
  int64_t changed_decisions = 0;
  std::vector<Change> changes;
  RuleCounts recorded;
  RuleCounts replayed;
  std::vector<std::string> kills;  // OOM kills as the agents judged them, a line each; at most 100
  int64_t kill_count = 0;          // all of them
};

// Reads the journal to its end. Errors: the changed policy is invalid (all faults), or entries come before
// any header and no policy is known.
[[nodiscard]] absl::StatusOr<ReplayReport> Replay(record::JournalStream& journal,
                                                  const ReplayRequest& request);

}  // namespace ballast::replay
