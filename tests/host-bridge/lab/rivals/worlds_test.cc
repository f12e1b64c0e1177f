// Rivals in whole worlds: what must hold of each, whatever its rule, and what makes the clairvoyant one a
// bound.
#include <gtest/gtest.h>

#include <map>

#include "host-bridge/lab/rivals/rivals.h"
#include "host-bridge/lab/world/run.h"

namespace ballast::sim {
namespace {

// Small for a while, then 2.5 GiB within 8 s for a minute, then small again; each guest at its own times.
class Bursts final : public Workload {
 public:
  explicit Bursts(int64_t phase) : quiet_(Seconds(120 + 30 * phase)) {}
  Segment Next() override {
    burst_ = !burst_;
    Segment segment{.length = burst_ ? Seconds(60) : quiet_,
                    .anon_bytes = burst_ ? 2500 * kMiB : 300 * kMiB,
                    .anon_bytes_per_second = 300 * kMiB,
                    .hot_cache_bytes = 200 * kMiB,
                    .hot_reads_bytes_per_second = 20 * kMiB};
    segment.cold_reads_bytes_per_second = burst_ ? 0 : 2 * kMiB;
    return segment;
  }

 private:
  Nanos quiet_;
  bool burst_ = true;
};

WorldPlan BurstWorld() {
  WorldPlan plan;
  plan.length = Seconds(1800);
  for (int64_t i = 0; i < 4; ++i) {
    GuestPlan guest;
    guest.limits.name = "g" + std::to_string(i);
    guest.boot_bytes = 4 * kGiB;
    guest.workload = [i] { return std::make_unique<Bursts>(i); };
    plan.guests.push_back(std::move(guest));
  }
  return plan;
}

std::map<std::string, Measures> RunAll(const WorldPlan& plan) {
  std::map<std::string, Measures> measures;
  for (const ControllerKind& kind : Rivals()) measures[kind.name] = sim::Run(plan, kind).measures;
  return measures;
}

TEST(Worlds, TheOracleServesAndNobodyThatServesHoldsLess) {
  const std::map<std::string, Measures> all = RunAll(BurstWorld());
  const Measures& oracle = all.at("oracle");
  EXPECT_EQ(oracle.guest_oom_kills, 0);
  EXPECT_EQ(oracle.stalled, Nanos{});
  EXPECT_EQ(oracle.starved, Nanos{});
  for (const auto& [name, measures] : all) {
    if (measures.guest_oom_kills > 0 || measures.stalled > Nanos{} || measures.starved > Nanos{}) continue;
    EXPECT_LE(oracle.resident_byte_seconds, measures.resident_byte_seconds) << name;
  }
}

// With a host that has plenty, rules that look at the host leave guests alone; the others take and cost.
TEST(Worlds, HostRulesRestWhereTheHostHasPlenty) {
  const std::map<std::string, Measures> all = RunAll(BurstWorld());
  for (const std::string name : {"fpr-only", "proxmox", "mom", "qemus", "hypeman", "vmmms"}) {
    EXPECT_EQ(all.at(name).commands, 0) << name;
    EXPECT_EQ(all.at(name).stalled, Nanos{}) << name;
  }
  for (const std::string name : {"vm0", "ghaf-mem-manager", "neon", "oracle"}) {
    EXPECT_GT(all.at(name).bytes_taken, 8 * kGiB) << name;
    EXPECT_LT(all.at(name).resident_byte_seconds, 0.8 * all.at("mom").resident_byte_seconds) << name;
  }
}

TEST(Worlds, HostRulesTakeWhereTheHostIsShort) {
  WorldPlan plan = BurstWorld();
  plan.host.total_bytes = 13 * kGiB;
  const std::map<std::string, Measures> all = RunAll(plan);
  for (const std::string name : {"proxmox", "mom", "qemus", "hypeman", "vmmms"}) {
    EXPECT_GT(all.at(name).bytes_taken, 256 * kMiB) << name;
  }
}

TEST(Worlds, ARunIsTheSameTwice) {
  const WorldPlan plan = BurstWorld();
  for (const ControllerKind& kind : Rivals()) {
    const Measures first = sim::Run(plan, kind).measures;
    const Measures second = sim::Run(plan, kind).measures;
    EXPECT_EQ(first.commands, second.commands) << kind.name;
    EXPECT_EQ(first.stalled, second.stalled) << kind.name;
    EXPECT_EQ(first.resident_byte_seconds, second.resident_byte_seconds) << kind.name;
  }
}

}  // namespace
}  // namespace ballast::sim
