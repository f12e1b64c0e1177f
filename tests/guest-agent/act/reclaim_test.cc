#include "guest-agent/act/reclaim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "tests/guest-agent/act/act_guest.h"

namespace ballast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kFile[] = "/sys/fs/cgroup/memory.reclaim";

class ReclaimTest : public ::testing::Test {
 protected:
  ReclaimTest() {
    guest.Put("/sys/fs/cgroup/cgroup.procs", "");
    guest.Put(kFile, "");
    guest.kernel = [this](const Order& order, const StopWatch&) { return Take(order, BytesOf(order)); };
  }

  static int64_t BytesOf(const Order& order) {
    int64_t bytes = 0;
    std::from_chars(order.text.data(), order.text.data() + order.text.size(), bytes);
    return bytes;
  }

  // A kernel that finds `found` bytes for the order.
  Outcome Take(const Order& order, int64_t found) {
    guest.figures.stolen += found;
    guest.figures.available += found / 2;
    guest.Apply();
    return Outcome{std::nullopt, found < BytesOf(order) ? EAGAIN : 0, ""};
  }

  absl::StatusOr<ReclaimResult> Run(int64_t bytes, const Bounds& bounds = {}) {
    return guest.acts.Reclaim({bytes, "", false}, bounds);
  }

  ActGuest guest;
};

TEST_F(ReclaimTest, TakesBitesUntilTheKernelCountedWhatWasAskedFor) {
  const auto result = Run(100 * kMiB);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->stop, Stop::kDone);
  EXPECT_EQ(result->reclaimed_bytes, 100 * kMiB);
  EXPECT_EQ(result->available_change_bytes, 50 * kMiB);
  EXPECT_EQ(result->method, "memory.reclaim");
  EXPECT_EQ(result->took, Milliseconds(100 + 3 * 20)) << "the examination, and a pause between bites";
  EXPECT_THAT(
      guest.orders,
      ElementsAre("w /sys/fs/cgroup/memory.reclaim 33554432", "w /sys/fs/cgroup/memory.reclaim 33554432",
                  "w /sys/fs/cgroup/memory.reclaim 33554432", "w /sys/fs/cgroup/memory.reclaim 4194304"));
}

TEST_F(ReclaimTest, EndsWhereTheKernelFindsNoMore) {
  int bites = 0;
  guest.kernel = [&](const Order& order, const StopWatch&) {
    return Take(order, ++bites == 1 ? 20 * kMiB : kMiB);
  };
  const auto result = Run(kGiB);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->stop, Stop::kExhausted);
  EXPECT_EQ(result->reclaimed_bytes, 21 * kMiB) << "a partial bite that brought much is no reason to end";
}

TEST_F(ReclaimTest, DoesNotAskForEverWhenNothingIsCounted) {
  guest.kernel = [](const Order&, const StopWatch&) { return Outcome{}; };
  const auto result = Run(100 * kMiB);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stop, Stop::kExhausted);
  EXPECT_EQ(result->reclaimed_bytes, 0);
  EXPECT_LE(guest.orders.size(), 8u);
}

TEST_F(ReclaimTest, StopsWhenTheGuestBecomesPressed) {
  guest.kernel = [this](const Order& order, const StopWatch&) {
    guest.figures.available = 300 * kMiB;
    return Take(order, BytesOf(order));
  };
  const auto result = Run(kGiB);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stop, Stop::kPressure);
  EXPECT_EQ(result->reclaimed_bytes, 32 * kMiB) << "and says what it had done by then";
}

TEST_F(ReclaimTest, StopsWhenTasksStall) {
  guest.kernel = [this](const Order& order, const StopWatch&) {
    guest.SetStall(Milliseconds(2));
    return Take(order, BytesOf(order));
  };
  EXPECT_EQ(Run(kGiB, {.brake_permyriad = 100})->stop, Stop::kPressure) << "2 of 100 ms, at a brake of 1 %";
  EXPECT_EQ(guest.orders.size(), 1u);
  guest.SetStall(Nanos{});
  EXPECT_EQ(Run(64 * kMiB, {.brake_permyriad = 500})->stop, Stop::kDone) << "but not at 5 %";
}

TEST_F(ReclaimTest, StopsWhenWhatItTookIsWantedBack) {
  guest.kernel = [this](const Order& order, const StopWatch&) {
    guest.figures.refaulted += 10 * kMiB;
    return Take(order, BytesOf(order));
  };
  const auto result = Run(kGiB);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stop, Stop::kPressure);
  EXPECT_EQ(result->reclaimed_bytes, 32 * kMiB);
}

TEST_F(ReclaimTest, KeepsTheDeadline) {
  guest.kernel = [this](const Order& order, const StopWatch&) {
    guest.clock.Advance(Seconds(2));
    return Take(order, BytesOf(order));
  };
  const auto result = Run(kGiB, {.within = Seconds(5)});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stop, Stop::kDeadline);
  EXPECT_EQ(result->reclaimed_bytes, 3 * 32 * kMiB);
}

TEST_F(ReclaimTest, StopsWhenItIsCancelled) {
  bool cancelled = false;
  guest.kernel = [&](const Order& order, const StopWatch&) {
    cancelled = true;
    return Take(order, BytesOf(order));
  };
  const auto result = Run(kGiB, {.cancelled = [&] { return cancelled; }});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stop, Stop::kCancelled);
  EXPECT_EQ(result->reclaimed_bytes, 32 * kMiB);
}

TEST_F(ReclaimTest, CountsABiteThatWasStoppedHalfWay) {
  guest.kernel = [this](const Order& order, const StopWatch& watch) {
    EXPECT_FALSE(watch().has_value());
    Outcome outcome = Take(order, 5 * kMiB);
    guest.clock.Advance(Seconds(40));
    outcome.stop = watch();
    return outcome;
  };
  const auto result = Run(kGiB);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->stop, Stop::kDeadline);
  EXPECT_EQ(result->reclaimed_bytes, 5 * kMiB);
}

TEST_F(ReclaimTest, APressedGuestIsLeftAlone) {
  guest.figures.available = 100 * kMiB;
  guest.Apply();
  const auto result = Run(kMiB);
  EXPECT_TRUE(absl::IsFailedPrecondition(result.status())) << result.status();
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("100MiB available"));
  EXPECT_EQ(guest.helpers, 0) << "no process is started where memory is short";
}

TEST(ReclaimExamination, AGuestThatStallsAlreadyIsLeftAlone) {
  ActGuest guest;
  Acts acts({guest.Root(), MachineFacts{},
             [&guest](Nanos span) {
               guest.clock.Advance(span);
               guest.SetStall(Milliseconds(3));
             }},
            guest, guest.clock);
  const auto result = acts.Reclaim({kMiB, "", false}, {});
  EXPECT_TRUE(absl::IsFailedPrecondition(result.status())) << result.status();
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("3.00 % of the last 100 ms"));
  EXPECT_EQ(guest.helpers, 0);
}

TEST_F(ReclaimTest, OneActAtATime) {
  absl::Status second;
  guest.kernel = [&](const Order& order, const StopWatch&) {
    second = Run(kMiB).status();
    EXPECT_TRUE(absl::IsResourceExhausted(guest.acts.Compact({}).status()));
    EXPECT_TRUE(absl::IsResourceExhausted(guest.acts.SetSwappiness(1, {}).status()));
    EXPECT_TRUE(absl::IsResourceExhausted(guest.acts.ConfigureZram({}, {}).status()));
    return Take(order, BytesOf(order));
  };
  EXPECT_TRUE(Run(kMiB).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(second)) << second;
  guest.kernel = nullptr;
  EXPECT_TRUE(guest.acts.Reclaim({kMiB, "", false}, {}).ok()) << "the place is free again";
}

TEST_F(ReclaimTest, ACgroupIsCountedByItsOwnFile) {
  guest.Put("/sys/fs/cgroup/a.slice/cgroup.procs", "");
  guest.Put("/sys/fs/cgroup/a.slice/memory.reclaim", "");
  guest.Put("/sys/fs/cgroup/a.slice/memory.stat", "anon 1\npgsteal 100\npgsteal_direct 100\n");
  guest.kernel = [this](const Order&, const StopWatch&) {
    guest.Put("/sys/fs/cgroup/a.slice/memory.stat", "anon 1\npgsteal 612\npgsteal_direct 612\n");
    return Outcome{};
  };
  const auto result = guest.acts.Reclaim({2 * kMiB, "/a.slice", false}, {});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->reclaimed_bytes, 512 * 4096);
  EXPECT_EQ(result->stop, Stop::kDone);
  EXPECT_THAT(guest.orders, ElementsAre("w /sys/fs/cgroup/a.slice/memory.reclaim 2097152"));
}

TEST_F(ReclaimTest, CgroupsThatAreNotThereAreRefused) {
  const auto refused = [this](const std::string& cgroup) {
    return guest.acts.Reclaim({kMiB, cgroup, false}, {}).status();
  };
  EXPECT_TRUE(absl::IsInvalidArgument(refused("/nowhere")));
  for (const char* path : {"/../x", "/a/..", "a", "//", "/a//b", "/./a", "/a/", "/a\n/b", "/.."}) {
    EXPECT_TRUE(absl::IsInvalidArgument(refused(path))) << path;
    EXPECT_FALSE(IsCgroupPath(path)) << path;
  }
  EXPECT_FALSE(IsCgroupPath("/" + std::string(256, 'a')));
  for (const char* path : {"/", "/a", "/a.slice/b..c", "/..a"}) EXPECT_TRUE(IsCgroupPath(path)) << path;
  guest.Put("/sys/fs/cgroup/old/cgroup.procs", "");
  EXPECT_TRUE(absl::IsUnimplemented(refused("/old"))) << refused("/old");
  EXPECT_THAT(guest.orders, IsEmpty());
}

TEST_F(ReclaimTest, CacheOnlyIsAskedForWhereThereIsSwap) {
  ReclaimWish wish{kMiB, "", true};
  ASSERT_TRUE(guest.acts.Reclaim(wish, {}).ok());
  guest.figures.swap_total = kGiB;
  guest.Apply();
  ASSERT_TRUE(guest.acts.Reclaim(wish, {}).ok());
  EXPECT_THAT(guest.orders, ElementsAre("w /sys/fs/cgroup/memory.reclaim 1048576",
                                        "w /sys/fs/cgroup/memory.reclaim 1048576 swappiness=0"));
  guest.kernel = [](const Order&, const StopWatch&) { return Outcome{std::nullopt, EINVAL, ""}; };
  const auto old = guest.acts.Reclaim(wish, {});
  EXPECT_TRUE(absl::IsUnimplemented(old.status())) << old.status();
}

TEST_F(ReclaimTest, WithoutTheCountersItCannotBeMeasuredSoItIsNotDone) {
  guest.Put("/proc/vmstat", "oom_kill 0\n");
  EXPECT_TRUE(absl::IsUnimplemented(Run(kMiB).status()));
  EXPECT_THAT(guest.orders, IsEmpty());
}

class DropCachesTest : public ReclaimTest {
 protected:
  DropCachesTest() {
    guest.Remove(kFile);
    guest.Put("/proc/sys/vm/drop_caches", "");
    guest.kernel = [this](const Order& order, const StopWatch&) {
      guest.figures.cached = std::max(guest.figures.cached - 400 * kMiB, 64 * kMiB);
      guest.Apply();
      return guest.WriteThrough(order);
    };
  }
};

TEST_F(DropCachesTest, IsTheAlternativeWhereTheCacheIsCold) {
  const auto result = Run(400 * kMiB);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->method, "drop_caches");
  EXPECT_EQ(result->reclaimed_bytes, 400 * kMiB);
  EXPECT_EQ(result->stop, Stop::kDone);
  EXPECT_THAT(guest.orders, ElementsAre("w /proc/sys/vm/drop_caches 1"));
  EXPECT_EQ(Run(500 * kMiB)->stop, Stop::kExhausted);
}

TEST_F(DropCachesTest, IsRefusedForACacheInUseAndForASmallPartOfIt) {
  const auto small = Run(200 * kMiB);
  EXPECT_TRUE(absl::IsFailedPrecondition(small.status())) << small.status();
  guest.figures.active_file = 200 * kMiB;
  guest.Apply();
  const auto in_use = Run(kGiB);
  EXPECT_TRUE(absl::IsFailedPrecondition(in_use.status()));
  EXPECT_THAT(std::string(in_use.status().message()), HasSubstr("200MiB of its 648MiB is in use"));
  guest.Remove("/proc/sys/vm/drop_caches");
  EXPECT_TRUE(absl::IsUnimplemented(Run(kGiB).status()));
  EXPECT_THAT(guest.orders, IsEmpty());
}

}  // namespace
}  // namespace ballast::agent
