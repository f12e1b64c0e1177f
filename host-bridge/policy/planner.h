// One decision while it is made: assess the host and every guest, ask the giving rules in order of rank, hand
// out what the host can spare, take what is still missing, remember. One pass over the guests, and a second
// look at those that could give when something is missing; what later steps need is kept in short lists.
#pragma once

#include <optional>
#include <vector>

#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/asker.h"
#include "host-bridge/policy/assess.h"
#include "host-bridge/policy/rules/taking.h"

namespace ballast::policy {

// Lists whose memory is used again from one decision to the next.
struct PlanMemory {
  std::optional<PolicyConfig> valid;  // the configuration that was found valid last
  Outcome outcome;
  std::vector<Asker> askers;
  std::vector<Donor> donors;
  std::vector<size_t> resting;  // guests that may be donors, should anything turn out to be missing
  std::vector<Donor*> real;     // of guests in mode full
  std::vector<Donor*> shown;    // those, and the ones in mode observe
  std::vector<Share> shares;
  std::vector<Taking> takings;
};

class Planner {
 public:
  // All of them outlive the planner. The outcome is left in the memory.
  Planner(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now, PlanMemory& memory);

  void Run();

 private:
  [[nodiscard]] const GuestFacts& facts(size_t guest) const { return snapshot_.guests[guest]; }

  void Assess(size_t index);
  void CountOnItsWay(const View& view, const GuestHistory& history);
  void ReplyWithoutGrant(const View& view);
  void AddDonor(const View& view, const GuestHistory& history);
  void AddResting();
  [[nodiscard]] bool Misses(const GuestHistory& history) const;
  void Sort();

  // plan_giving.cc
  void Give();
  [[nodiscard]] int64_t BudgetFor(const Asker& asker) const;
  void Settle(Asker& asker);
  [[nodiscard]] Refusal WhyNotAll(const Asker& asker, bool cut) const;
  void Reply(size_t guest, int64_t granted, Refusal why, int64_t give_bytes_per_second);
  void RecordGiving(const Asker& asker, int64_t target);
  void RememberAnswered(const Asker& asker, GuestHistory& history) const;
  void Show(const Decision& decision, GuestHistory& history);

  // plan_plugging.cc
  void SettlePlug(Asker& asker);
  void ReplyPlugged(const View& view, int64_t granted, Refusal why);
  void RecordPlug(const Asker& asker, int64_t target);
  void TakeIdlePlugged(Donor& donor);
  void GiveToUnplug(Donor& donor);
  [[nodiscard]] Reason ReasonToUnplug(const Donor& donor, int64_t wanted) const;
  void Command(const PlugDecision& decision, GuestHistory& history);

  // plan_taking.cc
  [[nodiscard]] int64_t Missing() const;
  void Take();
  void TakeFor(Rule rule, int64_t wanted, DownTo limit);
  void TakeFrom(const std::vector<Donor*>& donors, Mode mode, Rule rule, int64_t wanted, DownTo limit);
  void RecordTaking(Rule rule, Donor& donor, int64_t bytes, int64_t wanted);

  const Snapshot& snapshot_;
  const PolicyConfig& config_;
  const MonotonicTime now_;
  PlanMemory& memory_;
  Outcome& outcome_;
  HostView host_;
  const int64_t hold_;       // what operators want held in all balloons together
  int64_t outstanding_ = 0;  // promised to guests and not yet with them
  int64_t pending_ = 0;      // asked of guests and not yet with the host
  int64_t reclaimed_ = 0;    // all balloons of acting guests, as commanded
  int64_t spare_ = 0;        // what the host has and has not promised, its reserve included
  int64_t untouched_ = 0;    // plugged into guests and not yet taken from the host
  int64_t unmet_ = 0;        // owed to acting guests and not granted
};

}  // namespace ballast::policy
