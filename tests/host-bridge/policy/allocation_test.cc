// The bridge decides for all its guests many times a second: a Decider that has warmed up allocates nothing.
// A binary of its own, since it counts every allocation of the program.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "tests/host-bridge/policy/world.h"

namespace {
size_t allocations = 0;

void* Allocate(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}

void* AllocateAligned(size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto unit = static_cast<size_t>(alignment);
  if (void* memory = std::aligned_alloc(unit, (size + unit - 1) / unit * unit)) return memory;
  throw std::bad_alloc();
}

// Out of line: the compiler must not see through to free() from one side alone.
[[gnu::noinline]] void Free(void* memory) { std::free(memory); }
}  // namespace

// The other forms of the standard library call these; all but the nothrow ones, which std::stable_sort takes
// its buffer from.
void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size > 0 ? size : 1);
}
void* operator new[](size_t size, const std::nothrow_t& tag) noexcept { return ::operator new(size, tag); }
void* operator new(size_t size, std::align_val_t alignment) { return AllocateAligned(size, alignment); }
void* operator new[](size_t size, std::align_val_t alignment) { return AllocateAligned(size, alignment); }
void operator delete(void* memory) noexcept { Free(memory); }
void operator delete[](void* memory) noexcept { Free(memory); }
void operator delete(void* memory, size_t) noexcept { Free(memory); }
void operator delete[](void* memory, size_t) noexcept { Free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { Free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { Free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { Free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { Free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { Free(memory); }

namespace ballast::policy {
namespace {

constexpr int kGuests = 1000;
constexpr int64_t kTiB = 1024 * kGiB;

// Names longer than a string holds within itself, so that a copy of one would be seen.
Guest Numbered(int index) {
  return Guest("a guest with a rather long name, number " + std::to_string(index));
}

// Every `asks`-th guest is pressed (0: none).
World Make(int64_t host_available, int asks) {
  World world;
  world.Host(8 * kTiB, host_available);
  for (int i = 0; i < kGuests; ++i) {
    const bool pressed = asks > 0 && i % asks == 0;
    Guest guest = Numbered(i);
    guest.Boot(8 * kGiB).Balloon(kGiB).Available(pressed ? 300 * kMiB : (3 + i % 3) * kGiB);
    if (i % 7 == 0) guest.In(Mode::kObserve);
    if (i % 50 == 1) guest.ReportAge(Seconds(13));
    world.With(guest.Weight(1 + i % 90));
  }
  return world;
}

struct Case {
  const char* what;
  World world;
  Rule rule;  // that is to be seen among the decisions
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  cases.push_back({"healthy", Make(4 * kTiB, 0), Rule::kNone});
  cases.push_back({"takings", Make(500 * kGiB, 0), Rule::kHostPressure});
  cases.push_back({"askers", Make(4 * kTiB, 3), Rule::kPressedGrow});
  cases.push_back({"askers on a short host", Make(819 * kGiB, 3), Rule::kHostPressure});
  cases.push_back({"a hold", Make(4 * kTiB, 0), Rule::kOperatorHold});
  cases.back().world.Hold("night", 2 * kTiB);
  cases.push_back({"idle", Make(4 * kTiB, 0), Rule::kIdleGuest});
  for (GuestFacts& facts : cases.back().world.snapshot.guests) facts.history.calm_since = MonotonicTime{0};
  return cases;
}

TEST(Decider, AllocatesNothingOnceItIsWarm) {
  for (Case& c : Cases()) {
    Decider decider;
    const Snapshot& snapshot = c.world.snapshot;
    (void)decider.Decide(snapshot, c.world.config, c.world.now);
    const size_t before = allocations;
    const Outcome& outcome = decider.Decide(snapshot, c.world.config, c.world.now);
    EXPECT_EQ(allocations - before, 0u) << c.what;
    const auto of_rule = [&](const Decision& decision) { return decision.reason.rule == c.rule; };
    const auto seen = std::count_if(outcome.decisions.begin(), outcome.decisions.end(), of_rule);
    EXPECT_TRUE(c.rule == Rule::kNone || seen > 0) << c.what << " makes too few decisions to prove anything";
  }
}

TEST(Decider, KeepsNothingOfWhatItSaid) {
  Decider one;
  for (int round = 0; round < 2; ++round) {
    for (const Case& c : Cases()) {
      const Outcome fresh = Decide(c.world.snapshot, c.world.config, c.world.now);
      EXPECT_EQ(one.Decide(c.world.snapshot, c.world.config, c.world.now), fresh) << c.what;
    }
  }
}

TEST(Decider, FollowsTheNumberOfGuestsAndWhatItsCallerTakes) {
  World world = Make(500 * kGiB, 3);
  Decider decider;
  Outcome taken = std::move(decider.Decide(world.snapshot, world.config, world.now));
  EXPECT_EQ(taken, Decide(world.snapshot, world.config, world.now));
  for (const size_t guests : {size_t{10}, size_t{0}}) {
    world.snapshot.guests.resize(guests);
    EXPECT_EQ(decider.Decide(world.snapshot, world.config, world.now),
              Decide(world.snapshot, world.config, world.now));
  }
  PolicyConfig bad = world.config;
  bad.alignment_bytes = 0;
  EXPECT_EQ(decider.Decide(world.snapshot, bad, world.now), Decide(world.snapshot, bad, world.now));
}

TEST(Allocations, AreCounted) {
  const size_t before = allocations;
  std::vector<int64_t> numbers(1000, 1);
  std::stable_sort(numbers.begin(), numbers.end());
  EXPECT_EQ(allocations - before, 2u);
}

}  // namespace
}  // namespace ballast::policy
