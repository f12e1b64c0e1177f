#include "guest-agent/sensors/sensors.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "common/base/text.h"
#include "guest-agent/sensors/machine_facts.h"
#include "guest-agent/sensors/psi_trigger.h"
#include "tests/fakes/guest_tree.h"

namespace ballast::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr MonotonicTime kNow{5'000'000'000};

std::string FreshRoot() {
  return StrCat(::testing::TempDir(), "ballast_",
                ::testing::UnitTest::GetInstance()->current_test_info()->name());
}

TEST(Sensors, ReadTheTreeAgainAndAgain) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 800 * kMiB);
  Sensors sensors(FileReader(tree.Root()));
  const Readings first = sensors.Read(kNow, false);
  ASSERT_TRUE(first.meminfo && first.vmstat && first.psi_memory && first.psi_io);
  EXPECT_EQ(first.meminfo->available_bytes, 800 * kMiB);
  tree.SetAvailable(5 * kMiB);
  tree.SetStall(42, 7);
  const Readings second = sensors.Read(kNow + Milliseconds(2), false);
  EXPECT_EQ(second.meminfo->available_bytes, 5 * kMiB);
  EXPECT_EQ(second.psi_memory->some.total_us, 42);
}

TEST(Sensors, ReadTheCostlyOnesLessOften) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 100 * kMiB);
  Sensors sensors(FileReader(tree.Root()));
  EXPECT_EQ(sensors.Read(kNow, false).vmstat->oom_kills, 0);
  tree.SetOomKills(1);
  EXPECT_EQ(sensors.Read(kNow + Milliseconds(5), false).vmstat->oom_kills, 0);
  EXPECT_EQ(sensors.Read(kNow + Milliseconds(6), true).vmstat->oom_kills, 1);
  tree.SetOomKills(2);
  EXPECT_EQ(sensors.Read(kNow + Milliseconds(26), false).vmstat->oom_kills, 2);
}

TEST(Sensors, WhileArmedReadTheCostlyOnesTenTimesASecond) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 400 * kMiB);
  Sensors sensors(FileReader(tree.Root()));
  EXPECT_EQ(sensors.Read(kNow, false).vmstat->oom_kills, 0);
  tree.SetOomKills(1);
  EXPECT_EQ(sensors.Read(kNow + Milliseconds(99), false).vmstat->oom_kills, 0);
  EXPECT_EQ(sensors.Read(kNow + Milliseconds(100), false).vmstat->oom_kills, 1);
}

TEST(Sensors, WhileQuietReadTheCostlyOnesOnceASecond) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 800 * kMiB);
  Sensors sensors(FileReader(tree.Root()));
  EXPECT_EQ(sensors.Read(kNow, false).vmstat->oom_kills, 0);
  tree.SetOomKills(1);
  tree.SetStall(42, 7);
  const Readings& idle = sensors.Read(kNow + Milliseconds(900), false);
  EXPECT_EQ(idle.vmstat->oom_kills, 0);
  EXPECT_EQ(idle.at, kNow + Milliseconds(900));
  EXPECT_EQ(idle.psi_memory->some.total_us, 42);
  EXPECT_EQ(sensors.Read(kNow + Milliseconds(1'000), false).vmstat->oom_kills, 1);
}

TEST(Sensors, WhatIsToldBearsOneTime) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 800 * kMiB);
  Sensors sensors(FileReader(tree.Root()));
  static_cast<void>(sensors.Read(kNow, false));
  tree.SetOomKills(1);
  const Readings& readings = sensors.Read(kNow + Milliseconds(500), false);
  EXPECT_EQ(readings.vmstat->oom_kills, 0);
  sensors.Complete();
  EXPECT_EQ(readings.vmstat->oom_kills, 1);
  tree.SetOomKills(2);
  sensors.Complete();
  EXPECT_EQ(readings.vmstat->oom_kills, 1) << "it was complete";
}

TEST(Sensors, ASteadyPaceReadsTheCostlyOnesEvenWhileQuiet) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 800 * kMiB);
  Sensors sensors(FileReader(tree.Root()), Sensors::Pace::kSteady);
  static_cast<void>(sensors.Read(kNow, false));
  tree.SetOomKills(1);
  EXPECT_EQ(sensors.Read(kNow + Milliseconds(20), false).vmstat->oom_kills, 1);
}

TEST(Sensors, ABalloonThatMovesIsAChange) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 800 * kMiB);
  Sensors sensors(FileReader(tree.Root()));
  EXPECT_EQ(sensors.Read(kNow, false).vmstat->oom_kills, 0);
  tree.SetOomKills(1);
  tree.SetAvailable(797 * kMiB);
  EXPECT_EQ(sensors.Read(kNow + Milliseconds(100), false).vmstat->oom_kills, 0);
  tree.SetAvailable(796 * kMiB);
  EXPECT_EQ(sensors.Read(kNow + Milliseconds(200), false).vmstat->oom_kills, 1);
}

TEST(Sensors, SayWhatIsMissingAndWhyAndGoOnWithoutIt) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 800 * kMiB);
  std::filesystem::remove_all(tree.Root() + "/proc/pressure");
  Sensors sensors(FileReader(tree.Root()));
  const Readings& readings = sensors.Read(kNow, true);
  EXPECT_TRUE(readings.meminfo.has_value());
  EXPECT_FALSE(readings.psi_memory.has_value());
  EXPECT_FALSE(ToSample(readings).stall_total_us.has_value());
  EXPECT_EQ(sensors.Capabilities()[2].name, "psi");
  EXPECT_THAT(sensors.Capabilities()[2].reason, HasSubstr("/proc/pressure/memory"));
  EXPECT_THAT(sensors.Capabilities()[0].reason, IsEmpty());
  EXPECT_THAT(sensors.Capabilities()[3].reason, HasSubstr("no swap"));
}

TEST(Sensors, AReadThatMakesNoSenseIsAbsentAndTheNextOneCounts) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 800 * kMiB);
  Sensors sensors(FileReader(tree.Root()));
  tree.SetAvailable(2 * kGiB);  // more than there is
  EXPECT_FALSE(sensors.Read(kNow, true).meminfo.has_value());
  tree.SetAvailable(700 * kMiB);
  EXPECT_TRUE(sensors.Read(kNow, true).meminfo.has_value());
}

TEST(PsiTrigger, IsRefusedWhereTheFileIsNotTheKernelsAndLeavesItAlone) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 800 * kMiB);
  const auto before = FileReader(tree.Root()).Read("/proc/pressure/memory");
  const auto trigger = PsiTrigger::Open(FileReader(tree.Root()));
  ASSERT_FALSE(trigger.ok());
  EXPECT_THAT(MessageOf(trigger.status()), HasSubstr("not a file of the kernel"));
  EXPECT_EQ(*FileReader(tree.Root()).Read("/proc/pressure/memory"), *before);
}

TEST(MachineFacts, FindTheBalloonAmongTheDevices) {
  fakes::GuestTree tree(FreshRoot(), kGiB, 800 * kMiB);
  EXPECT_FALSE(ReadMachineFacts(FileReader(tree.Root())).balloon.has_value());
  const std::string devices = tree.Root() + "/sys/bus/virtio/devices";
  for (const auto& [name, id] : {std::pair{"virtio0", "0x0001"}, std::pair{"virtio3", "0x0005"}}) {
    std::filesystem::create_directories(StrCat(devices, "/", name));
    std::ofstream(StrCat(devices, "/", name, "/device")) << id << "\n";
    std::ofstream(StrCat(devices, "/", name, "/features")) << "0110010000000000\n";
  }
  const std::string features = StrCat(devices, "/virtio3/features");
  std::ofstream(features) << "0000000000000000\n";
  EXPECT_FALSE(ReadMachineFacts(FileReader(tree.Root())).balloon.has_value()) << "one without a driver";
  std::ofstream(features) << "0110010000000000\n";
  const MachineFacts facts = ReadMachineFacts(FileReader(tree.Root()));
  ASSERT_TRUE(facts.balloon.has_value());
  EXPECT_TRUE(facts.balloon->deflate_on_oom);
  EXPECT_TRUE(facts.balloon->free_page_reporting);
  EXPECT_THAT(facts.boot_id, HasSubstr("-"));
  EXPECT_EQ(facts.kernel_release, "6.1.0-fake");
}

}  // namespace
}  // namespace ballast::agent
