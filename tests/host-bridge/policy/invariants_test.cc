// The invariants of docs/rules.md over random worlds. Each check is written from the invariant, not from the
// code.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>

#include "tests/host-bridge/policy/random_world.h"

namespace ballast::policy {
namespace {

constexpr uint64_t kFirstSeed = 20'260'101;
constexpr int kWorlds = 25'000;
constexpr int kTicks = 4;

struct Limits {
  int64_t floor, baseline, ceiling;
};

Limits LimitsOf(const GuestFacts& facts) {
  const int64_t base = facts.vmm->value.base_bytes;
  const int64_t ceiling = std::min(base, facts.limits.ceiling_bytes.value_or(base));
  const int64_t baseline = std::min(ceiling, facts.limits.baseline_bytes.value_or(base));
  const int64_t floor = facts.limits.floor_bytes.value_or(std::max(base / 4, 128 * kMiB));
  return {std::min(floor, baseline), baseline, ceiling};
}

int64_t Actual(const GuestFacts& facts) { return facts.vmm->value.balloon_actual.count; }

int64_t Standing(const GuestFacts& facts) {
  return std::clamp<int64_t>(facts.history.target.value_or(facts.vmm->value.balloon_actual).count, 0,
                             facts.vmm->value.base_bytes);
}

// How far outside [floor, ceiling] a balloon of this size puts the guest.
int64_t Outside(const GuestFacts& facts, int64_t balloon) {
  const Limits limits = LimitsOf(facts);
  const int64_t size = facts.vmm->value.base_bytes - balloon;
  return std::max({int64_t{0}, limits.floor - size, size - limits.ceiling});
}

bool Fresh(MonotonicTime at, MonotonicTime now, Nanos most) {
  return at <= now + Seconds(1) && at >= now - most;
}

bool GoodReport(const GuestFacts& facts, const World& world) {
  if (!facts.report || !Fresh(facts.report->at, world.now, world.config.report_max_age)) return false;
  const GuestReading& reading = facts.report->value;
  return reading.total_bytes > 0 && reading.total_bytes / 2 <= facts.vmm->value.base_bytes &&
         reading.available_bytes >= 0 && reading.available_bytes <= reading.total_bytes &&
         reading.stall_permyriad >= 0 && reading.stall_permyriad <= 10'000;
}

bool HostKnown(const World& world) {
  if (!world.snapshot.host || !Fresh(world.snapshot.host->at, world.now, world.config.host_max_age))
    return false;
  const HostReading& host = world.snapshot.host->value;
  return host.available_bytes >= 0 && host.available_bytes <= host.total_bytes &&
         host.some_permyriad <= 10'000;
}

int64_t ReserveOf(const HostReading& host) {
  return std::min(std::max(host.total_bytes / 10, 512 * kMiB), host.total_bytes / 2);
}

void CheckLimitsAndTaking(const World& world, const Decision& decision) {
  const GuestFacts& facts = world.snapshot.guests[decision.guest];
  ASSERT_TRUE(facts.vmm && facts.vmm->value.running &&
              Fresh(facts.vmm->at, world.now, world.config.vmm_max_age));
  const int64_t target = decision.target.count;
  const int64_t before = std::max(Actual(facts), Standing(facts));
  // I1: inside, or on the way back from outside.
  ASSERT_LE(Outside(facts, target), std::max(Outside(facts, Actual(facts)), Outside(facts, Standing(facts))))
      << "I1";
  ASSERT_TRUE(target >= 0 && target <= facts.vmm->value.base_bytes) << "I1";
  if (target <= Standing(facts)) return;
  // I2
  ASSERT_TRUE(GoodReport(facts, world)) << "I2";
  ASSERT_TRUE(facts.limits.mode == Mode::kFull || (facts.limits.mode == Mode::kObserve && !decision.act))
      << "I2";
  // I3
  const GuestReading& reading = facts.report->value;
  // What deflate-on-oom keeps in MemTotal is neither usable nor used.
  const int64_t size = facts.vmm->value.base_bytes - before;
  const bool keeps =
      reading.total_bytes > facts.vmm->value.base_bytes - Actual(facts) + world.config.alignment_bytes;
  const int64_t usable = std::max<int64_t>(0, reading.total_bytes - (keeps ? Actual(facts) : 0));
  ASSERT_GE(reading.available_bytes, ThresholdsFor(usable, world.config).critical_available_bytes) << "I3";
  // I5
  const int64_t used = std::max<int64_t>(0, usable - reading.available_bytes);
  const int64_t slack = size - std::max(LimitsOf(facts).floor, used + std::max(size / 10, 64 * kMiB));
  ASSERT_LE(target - before, slack / 2) << "I5";
  ASSERT_LE(target - before, world.config.max_step_bytes) << "I5";
}

// I4
void CheckGrants(const World& world, const Outcome& outcome) {
  int64_t outstanding = 0;
  for (const GuestFacts& facts : world.snapshot.guests) {
    const bool managed = facts.vmm && facts.vmm->value.running && facts.limits.mode != Mode::kOff &&
                         Fresh(facts.vmm->at, world.now, world.config.vmm_max_age) && Actual(facts) >= 0 &&
                         Actual(facts) <= facts.vmm->value.base_bytes &&
                         facts.vmm->value.base_bytes <= (int64_t{1} << 48);
    if (managed) outstanding += std::max<int64_t>(0, Actual(facts) - Standing(facts));
  }
  int64_t granted = 0;
  for (const Decision& decision : outcome.decisions) {
    const GuestFacts& facts = world.snapshot.guests[decision.guest];
    const int64_t grant =
        std::max<int64_t>(0, std::min(Actual(facts), Standing(facts)) - decision.target.count);
    granted += grant;
    const bool critical = outcome.histories[decision.guest].state == GuestState::kCritical;
    ASSERT_TRUE(HostKnown(world) || critical || facts.rebooted || grant == 0) << "I4: the host is unknown";
  }
  if (!HostKnown(world)) return;
  const HostReading& host = world.snapshot.host->value;
  // A guest whose limits are refused promises nothing new, so its old promises count only as far as they are
  // seen.
  const int64_t spare = std::max<int64_t>(0, host.available_bytes - ReserveOf(host));
  ASSERT_LE(granted, spare) << "I4";
  bool all_limits_good = true;
  for (const Hold& hold : outcome.holds) all_limits_good &= hold.why != Hold::Why::kBadLimits;
  if (!all_limits_good) return;
  ASSERT_LE(granted, std::max<int64_t>(0, spare - outstanding)) << "I4: old promises count";
}

TEST(Invariants, LimitsTakingAndGrantsHoldInRandomWorlds) {
  int64_t decisions = 0;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + kWorlds; ++seed) {
    SCOPED_TRACE(seed);
    RandomWorld random(seed);
    World world = random.Make();
    for (int tick = 0; tick < kTicks; ++tick) {
      const World before = world;
      const Outcome outcome = world.Tick();
      for (const Decision& decision : outcome.decisions) CheckLimitsAndTaking(before, decision);
      CheckGrants(before, outcome);
      for (const Decision& decision : outcome.decisions) {
        ASSERT_FALSE(Explain(decision, "g").empty());
        const bool was_critical = outcome.histories[decision.guest].state == GuestState::kCritical;
        ASSERT_TRUE(!was_critical ||
                    decision.target.count <= Standing(before.snapshot.guests[decision.guest]))
            << "I3";
      }
      if (::testing::Test::HasFatalFailure()) return;
      decisions += static_cast<int64_t>(outcome.decisions.size());
      random.Disturb(world);
    }
  }
  EXPECT_GT(decisions, 50'000) << "the worlds are too quiet to prove anything";
}

TEST(Invariants, I6NobodyIsPushedBelowItsBaselineWhileTheHostHasItsReserve) {
  int64_t takings = 0;
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + kWorlds / 5; ++seed) {
    SCOPED_TRACE(seed);
    RandomWorld random(seed);
    World world = random.MakeHonest();
    // The liars: as many as there is room for, all of them dying by their own account.
    for (int i = 0; i < 4; ++i) {
      world.With(
          Guest("liar-" + std::to_string(i)).Boot(16 * kGiB).Balloon(12 * kGiB).Available(0).Weight(10'000));
    }
    const int64_t total = world.snapshot.host->value.total_bytes;
    world.Host(total, ReserveOf({total, 0, 0, 0}) + kMiB + random.Between(0, kGiB));
    for (int tick = 0; tick < 5; ++tick) {
      const World before = world;
      for (const Decision& decision : world.Tick().decisions) {
        const GuestFacts& facts = before.snapshot.guests[decision.guest];
        if (decision.target.count <= Standing(facts)) continue;
        ++takings;
        ASSERT_GE(facts.vmm->value.base_bytes - decision.target.count, LimitsOf(facts).baseline);
      }
      world.Later(Seconds(2));
    }
  }
  EXPECT_GT(takings, 1000) << "the liars asked for nothing";
}

TEST(Invariants, I7TheOrderOfGuestsDoesNotMatter) {
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + kWorlds / 2; ++seed) {
    RandomWorld random(seed);
    World world = random.OneIn(2) ? random.Make() : random.MakeHonest();
    // Twins, so that only their names can decide who is served first.
    const GuestFacts first = world.snapshot.guests.front();
    for (const char* name : {"twin-b", "twin-a", "twin-c"}) {
      world.snapshot.guests.push_back(first);
      world.snapshot.guests.back().limits.name = name;
    }
    World shuffled = world;
    std::shuffle(shuffled.snapshot.guests.begin(), shuffled.snapshot.guests.end(), random.engine());
    const Outcome one = Decide(world.snapshot, world.config, world.now);
    ASSERT_EQ(one, Decide(world.snapshot, world.config, world.now)) << seed;
    const Outcome other = Decide(shuffled.snapshot, world.config, world.now);
    std::map<std::string, std::pair<int64_t, GuestHistory>> by_name;
    const auto target = [](const World& of, const Outcome& outcome, const std::string& name) {
      const auto decision = DecisionFor(of, outcome, name);
      return decision ? decision->target.count : -1;
    };
    for (size_t i = 0; i < world.snapshot.guests.size(); ++i) {
      const std::string& name = world.snapshot.guests[i].limits.name;
      by_name[name] = {target(world, one, name), one.histories[i]};
    }
    for (size_t i = 0; i < shuffled.snapshot.guests.size(); ++i) {
      const std::string& name = shuffled.snapshot.guests[i].limits.name;
      ASSERT_EQ(by_name[name], std::pair(target(shuffled, other, name), other.histories[i]))
          << seed << " " << name;
    }
  }
}

// I8: guests use a constant amount, VMMs obey, the host follows. What was taken is not given again, and the
// world comes to rest.
TEST(Invariants, I8ConstantUseComesToRestWithoutReversal) {
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + 150; ++seed) {
    SCOPED_TRACE(seed);
    RandomWorld random(seed);
    World world = random.MakeHonest();
    // Stalls that no amount of memory ends are not constant use: such a guest is given more until it has all.
    for (GuestFacts& facts : world.snapshot.guests) facts.report->value.stall_permyriad = 0;
    std::map<size_t, int64_t> taken;
    std::map<size_t, int64_t> given_after;
    for (int second = 0; second < 600; ++second) {
      const World before = world;
      const Outcome outcome = world.Tick();
      ASSERT_TRUE(second < 300 || outcome.decisions.empty()) << Explain(outcome.decisions[0], "guest");
      for (const Decision& decision : outcome.decisions) {
        const int64_t change = decision.target.count - Actual(before.snapshot.guests[decision.guest]);
        taken[decision.guest] += std::max<int64_t>(0, change);
        if (taken[decision.guest] > 64 * kMiB) given_after[decision.guest] += std::max<int64_t>(0, -change);
        ASSERT_LE(given_after[decision.guest], 64 * kMiB) << "second " << second;
      }
      world.Obey(outcome);
      world.Later(Seconds(1));
    }
  }
}

// Nothing moves at all, whatever is asked: the number of commands dies down with the growing block.
TEST(Invariants, I8ADeafBalloonIsNotAskedForEver) {
  for (uint64_t seed = kFirstSeed; seed < kFirstSeed + 50; ++seed) {
    RandomWorld random(seed);
    World world;
    world.Host(20 * kGiB, random.Between(0, 2 * kGiB));
    world.With(Guest("deaf").Boot(8 * kGiB).Available(random.Between(4, 7) * kGiB));
    size_t commands = 0;
    for (int second = 0; second < 600; ++second) {
      commands += world.Tick().decisions.size();
      world.Later(Seconds(1));
    }
    EXPECT_LE(commands, 20u) << seed;
  }
}

}  // namespace
}  // namespace ballast::policy
