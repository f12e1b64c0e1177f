#include "host-bridge/lab/replay/replay.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "common/base/text.h"

namespace ballast::replay {
namespace {

using Step = record::JournalStream::Step;

template <typename Decision>
const Decision* Find(const std::vector<Decision>& decisions, size_t guest) {
  const auto found = std::find_if(decisions.begin(), decisions.end(),
                                  [&](const Decision& each) { return each.guest == guest; });
  return found == decisions.end() ? nullptr : &*found;
}

GuestStep StepOf(const policy::Outcome& outcome, size_t guest) {
  if (const policy::Decision* decision = Find(outcome.decisions, guest)) return *decision;
  if (const policy::PlugDecision* plug = Find(outcome.plugs, guest)) return *plug;
  return {};
}

// The same for people: rule, target and whether it acts. The numbers of the reason may go on changing.
bool IsSameStep(const GuestStep& a, const GuestStep& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&b]<typename T>(const T& one) {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return true;
        } else {
          const T& other = std::get<T>(b);
          return one.reason.rule == other.reason.rule && one.target == other.target && one.act == other.act;
        }
      },
      a);
}

class Replayer {
 public:
  explicit Replayer(const ReplayRequest& request) : request_(request) {}

  absl::StatusOr<ReplayReport> Run(record::JournalStream& journal) {
    for (Step step = journal.Next(); step != Step::kEnd; step = journal.Next()) {
      if (absl::Status status = Take(step, journal); !status.ok()) return status;
    }
    report_.cut = journal.cut();
    return std::move(report_);
  }

 private:
  absl::Status Take(Step step, const record::JournalStream& journal) {
    constexpr size_t kMaxDamage = 20;
    switch (step) {
      case Step::kHeader:
        return TakeHeader(journal.header());
      case Step::kEntry:
        if (report_.runs == 0) {
          return absl::DataLossError(
              "the journal's header is damaged, so the policy it was recorded with is not known");
        }
        TakeEntry(journal.entry());
        return absl::OkStatus();
      case Step::kGap:
        report_.lost_entries += journal.lost_entries();
        before_.reset();
        return absl::OkStatus();
      case Step::kDamage:
        ++report_.damage_count;
        if (report_.damage.size() < kMaxDamage) report_.damage.push_back(journal.damage());
        before_.reset();
        return absl::OkStatus();
      case Step::kEnd:
        break;
    }
    return absl::OkStatus();
  }

  absl::Status TakeHeader(const record::JournalHeader& header) {
    if (report_.runs++ == 0) report_.header = header;
    before_.reset();
    policy_ = header.policy;
    if (!request_.change_policy) return absl::OkStatus();
    report_.same_policy = false;
    if (absl::Status status = request_.change_policy(policy_); !status.ok()) return status;
    const std::vector<std::string> faults = policy_.Validate();
    if (faults.empty()) return absl::OkStatus();
    std::string text = "the changed policy is invalid";
    for (const std::string& fault : faults) text += "\n  " + fault;
    return absl::InvalidArgumentError(text);
  }

  void TakeEntry(const record::RecordedEntry& entry) {
    if (report_.entries++ == 0) report_.first_at = entry.now;
    report_.last_at = entry.now;
    TakeVerdicts(entry);
    const bool carries = request_.mode == HistoryMode::kCarried && before_;
    policy::Outcome replayed = carries ? policy::Decide(WithCarried(entry.snapshot), policy_, entry.now)
                                       : policy::Decide(entry.snapshot, policy_, entry.now);
    Compare(entry, replayed);
    Count(entry.outcome, report_.recorded);
    Count(replayed, report_.replayed);
    if (request_.mode != HistoryMode::kCarried) return;
    before_ = Before{entry.outcome, std::move(replayed), {}};
    for (const policy::GuestFacts& facts : entry.snapshot.guests) before_->names.push_back(facts.limits.name);
  }

  void TakeVerdicts(const record::RecordedEntry& entry) {
    constexpr size_t kMaxKills = 100;
    for (const policy::OomVerdict& verdict : entry.verdicts) {
      report_.kill_count += verdict.kills;
      if (report_.kills.size() >= kMaxKills) continue;
      report_.kills.push_back(policy::Explain(verdict, entry.snapshot.guests[verdict.guest].limits.name));
    }
  }

  // The snapshot with the histories that the replayed decision before it left, where the bridge kept its own.
  [[nodiscard]] policy::Snapshot WithCarried(const policy::Snapshot& recorded) const {
    policy::Snapshot snapshot = recorded;
    const Before& before = *before_;
    if (recorded.host_history == before.recorded.host_history)
      snapshot.host_history = before.replayed.host_history;
    for (size_t i = 0; i < snapshot.guests.size() && i < before.names.size(); ++i) {
      policy::GuestFacts& facts = snapshot.guests[i];
      const bool kept = facts.limits.name == before.names[i] && facts.history == before.recorded.histories[i];
      if (kept) facts.history = before.replayed.histories[i];
    }
    return snapshot;
  }

  void Compare(const record::RecordedEntry& entry, const policy::Outcome& replayed) {
    if (entry.outcome == replayed) {
      open_.clear();
      return;
    }
    ++report_.different_entries;
    if (!report_.first) {
      const auto difference = FirstDifference(entry.snapshot, entry.now, entry.outcome, replayed);
      report_.first = FirstFault{report_.entries, entry.now, *difference};
    }
    for (size_t i = 0; i < entry.snapshot.guests.size(); ++i) {
      CompareGuest(entry, i, StepOf(entry.outcome, i), StepOf(replayed, i));
    }
  }

  void CompareGuest(const record::RecordedEntry& entry, size_t guest, const GuestStep& recorded,
                    const GuestStep& replayed) {
    const bool same = IsSameStep(recorded, replayed);
    const auto open = open_.find(guest);
    if (same) {
      if (open != open_.end()) open_.erase(open);
      return;
    }
    ++report_.changed_decisions;
    if (open != open_.end()) {
      Change& change = report_.changes[open->second];
      if (IsSameStep(change.recorded, recorded) && IsSameStep(change.replayed, replayed)) {
        ++change.repeated;
        return;
      }
      open_.erase(open);
    }
    if (report_.changes.size() >= request_.max_changes) return;
    open_[guest] = report_.changes.size();
    report_.changes.push_back(
        {report_.entries, entry.now, entry.snapshot.guests[guest].limits.name, recorded, replayed, 0});
  }

  static void Count(const policy::Outcome& outcome, RuleCounts& counts) {
    for (const policy::Decision& decision : outcome.decisions) ++counts[decision.reason.rule];
    for (const policy::PlugDecision& plug : outcome.plugs) ++counts[plug.reason.rule];
  }

  // The entry before, on both sides.
  struct Before {
    policy::Outcome recorded;
    policy::Outcome replayed;
    std::vector<std::string> names;
  };

  const ReplayRequest& request_;
  policy::PolicyConfig policy_;
  ReplayReport report_;
  std::optional<Before> before_;
  std::map<size_t, size_t> open_;  // guest -> its change in the report that may go on
};

}  // namespace

absl::StatusOr<ReplayReport> Replay(record::JournalStream& journal, const ReplayRequest& request) {
  return Replayer(request).Run(journal);
}

}  // namespace ballast::replay
