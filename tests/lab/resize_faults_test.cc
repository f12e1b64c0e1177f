// What an operator is told when a resize of a real guest cannot be what he asked for, and that nothing is
// left of the attempt.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <fstream>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "tests/lab/hotplug_guest.h"
#include "tests/lab/resize_lab.h"

namespace ballast::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

GuestOptions TwoSlots() {
  GuestOptions options;
  options.name = "small";
  options.memory_mib = 512;
  options.hotplug_mib = 1024;
  options.hotplug_slots = 2;
  options.agent_args = {"--online=movable"};
  return options;
}

class ResizeFaultsTest : public ResizeLab {
 protected:
  // What QEMU has mapped, in bytes.
  int64_t AddressSpace() {
    std::ifstream file(StrCat("/proc/", guest_->pid(), "/statm"));
    int64_t pages = 0;
    file >> pages;
    return pages * 4096;
  }
  // From now on QEMU can map no more than that; RLIM_INFINITY lifts it.
  void LimitQemu(rlim_t bytes) {
    const rlimit limit{.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    ASSERT_EQ(prlimit(guest_->pid(), RLIMIT_AS, &limit, nullptr), 0);
  }
  // Both go on.
  void ExpectWell() {
    EXPECT_TRUE(guest_->Exec("true").ok());
    EXPECT_EQ(guest_->OomKills().value_or(-1), 0);
    EXPECT_TRUE(bridge_->Process().IsRunning());
  }
};

TEST_F(ResizeFaultsTest, FullSlotsAreSaidAndASlotThatIsFreedServes) {
  ASSERT_NO_FATAL_FAILURE(Begin(TwoSlots(), "mode = guard"));
  HotplugGuest blocks(*guest_);
  for (const char* theirs : {"theirs0", "theirs1"}) ASSERT_TRUE(blocks.PlugDimm(theirs, 128).ok());
  // Somebody else's DIMMs count as boot memory, and stay.
  ASSERT_TRUE(operator_->WaitForSize(Name(), 768 * kMiB, absl::Seconds(10)).ok());
  const auto full = operator_->Resize(Name(), kGiB);
  ASSERT_TRUE(full.ok()) << full.status();
  EXPECT_EQ(full->plan.to_bytes(), 768 * kMiB);
  EXPECT_EQ(full->plan.steps_size(), 0);
  EXPECT_EQ(full->plan.limit(), "its VM has slots and room for no more than 768MiB");
  EXPECT_EQ(full->result.size_bytes(), 768 * kMiB);
  EXPECT_THAT(Backends(), IsEmpty());
  EXPECT_EQ(NumberOfDimms(), 2);

  ASSERT_TRUE(blocks.Eventually([](const auto& now) { return CountOf(now, "online Movable") == 2; }));
  ASSERT_TRUE(blocks.AskForDimm("theirs1").ok());
  ASSERT_TRUE(blocks.Eventually([&](const auto&) { return !blocks.HasDimm("theirs1"); }));
  ASSERT_TRUE(operator_->WaitForSize(Name(), 640 * kMiB, absl::Seconds(10)).ok());
  const auto grown = operator_->Resize(Name(), kGiB);
  ASSERT_TRUE(grown.ok()) << grown.status();
  EXPECT_TRUE(grown->result.complete()) << grown->result.ShortDebugString();
  EXPECT_GE(OnlineBytes(), kGiB);
  EXPECT_TRUE(blocks.HasDimm("theirs0"));
  ExpectWell();
}

TEST_F(ResizeFaultsTest, ASizeBetweenTwoUnitsIsRoundedAndSaid) {
  ASSERT_NO_FATAL_FAILURE(Begin(TwoSlots(), "mode = guard"));
  const auto grown = operator_->Resize(Name(), 700 * kMiB + 1);
  ASSERT_TRUE(grown.ok()) << grown.status();
  EXPECT_EQ(grown->plan.limit(), "memory is plugged in units of 512MiB");
  EXPECT_EQ(grown->plan.to_bytes(), kGiB) << "no less than was asked for";
  EXPECT_TRUE(grown->result.complete()) << grown->result.ShortDebugString();
  EXPECT_EQ(SizeByQmp(), kGiB);
  EXPECT_EQ(OnlineBytes(), kGiB);
  // The way back: what no DIMM makes up the balloon takes, in whole megabytes.
  const auto shrunk = operator_->Resize(Name(), 400 * kMiB + 4097);
  ASSERT_TRUE(shrunk.ok()) << shrunk.status();
  EXPECT_TRUE(shrunk->result.complete()) << shrunk->result.ShortDebugString();
  EXPECT_EQ(shrunk->plan.limit(), "a balloon moves in units of 1MiB");
  EXPECT_EQ(shrunk->plan.to_bytes(), 401 * kMiB);
  EXPECT_EQ(SizeByQmp(), 401 * kMiB);
  EXPECT_EQ(OnlineBytes(), 512 * kMiB);
  ExpectWell();
}

// From 64 GiB on Linux on x86 has memory blocks of up to 2 GiB, and takes no DIMM that is not made of whole
// ones. By slots and space DIMMs of 512 MiB would do here. (Of the guest's memory the host backs what is
// used.)
TEST_F(ResizeFaultsTest, AGuestOfLargeBlocksIsGivenWholeOnes) {
  GuestOptions options = TwoSlots();
  options.name = "large";
  options.memory_mib = 64 * 1024;
  options.hotplug_mib = 4096;
  options.hotplug_slots = 8;
  ASSERT_NO_FATAL_FAILURE(Begin(options, "mode = guard\nceiling = 68GiB"));
  const int64_t block = NumberOf("echo $((0x$(cat /sys/devices/system/memory/block_size_bytes)))");
  ASSERT_EQ(block, 2 * kGiB) << "this is no such guest";
  const auto grown = operator_->Resize(Name(), 65 * kGiB);
  ASSERT_TRUE(grown.ok()) << grown.status();
  EXPECT_TRUE(grown->result.complete()) << grown->result.ShortDebugString();
  EXPECT_EQ(grown->plan.limit(), "memory is plugged in units of 2GiB");
  EXPECT_EQ(SizeByQmp(), 66 * kGiB);
  EXPECT_EQ(OnlineBytes() / kBlock * block, 66 * kGiB);
  const auto shrunk = operator_->Resize(Name(), 64 * kGiB);
  ASSERT_TRUE(shrunk.ok()) << shrunk.status();
  EXPECT_TRUE(shrunk->result.complete()) << shrunk->result.ShortDebugString();
  EXPECT_EQ(SizeByQmp(), 64 * kGiB);
  EXPECT_EQ(OnlineBytes() / kBlock * block, 64 * kGiB);
  EXPECT_THAT(Backends(), IsEmpty());
  ExpectWell();
}

// QEMU takes a DIMM that is half a memory block, and puts the next right behind it; of both the guest uses
// nothing.
TEST_F(ResizeFaultsTest, BehindSomebodysOddDimmTheNextBeginsWhereABlockDoes) {
  GuestOptions options = TwoSlots();
  options.hotplug_slots = 4;
  ASSERT_NO_FATAL_FAILURE(Begin(options, "mode = guard"));
  HotplugGuest blocks(*guest_);
  ASSERT_TRUE(blocks.PlugDimm("odd", 64).ok());
  ASSERT_TRUE(operator_->WaitForSize(Name(), 576 * kMiB, absl::Seconds(10)).ok());
  const auto grown = operator_->Resize(Name(), 960 * kMiB);
  ASSERT_TRUE(grown.ok()) << grown.status();
  EXPECT_TRUE(grown->result.complete()) << grown->result.ShortDebugString();
  EXPECT_EQ(OnlineBytes(), (512 + 384) * kMiB) << "of the odd one nothing";
  const auto shrunk = operator_->Resize(Name(), 576 * kMiB);
  ASSERT_TRUE(shrunk.ok()) << shrunk.status();
  EXPECT_TRUE(shrunk->result.complete()) << shrunk->result.ShortDebugString();
  EXPECT_EQ(OnlineBytes(), 512 * kMiB);
  EXPECT_THAT(Backends(), IsEmpty());
  ExpectWell();
}

TEST_F(ResizeFaultsTest, AboveTheCeilingItGrowsToTheCeiling) {
  ASSERT_NO_FATAL_FAILURE(Begin(TwoSlots(), "mode = guard\nceiling = 1GiB"));
  const auto bounded = operator_->Resize(Name(), 64 * kGiB);
  ASSERT_TRUE(bounded.ok()) << bounded.status();
  EXPECT_EQ(bounded->plan.limit(), "its ceiling is 1GiB");
  EXPECT_TRUE(bounded->result.complete()) << bounded->result.ShortDebugString();
  EXPECT_EQ(SizeByQmp(), kGiB);
  EXPECT_EQ(OnlineBytes(), kGiB) << "there is room for another 512 MiB";
  const auto again = operator_->Resize(Name(), 64 * kGiB);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->plan.steps_size(), 0) << again->plan.ShortDebugString();
  EXPECT_EQ(SizeByQmp(), kGiB);
  // By what can be plugged at all.
  guest_lines_ = "mode = guard";
  bridge_->Process().Kill();
  ASSERT_NO_FATAL_FAILURE(StartBridge());
  const auto most = operator_->Resize(Name(), 64 * kGiB);
  ASSERT_TRUE(most.ok()) << most.status();
  EXPECT_EQ(most->plan.limit(), "its VM has slots and room for no more than 1.5GiB");
  EXPECT_EQ(SizeByQmp(), kGiB + 512 * kMiB);
  EXPECT_EQ(OnlineBytes(), kGiB + 512 * kMiB);
  ExpectWell();
}

TEST_F(ResizeFaultsTest, AHostWithoutTheMemoryIsSaidAndLaterItGrows) {
  ASSERT_NO_FATAL_FAILURE(Begin(TwoSlots(), "mode = guard"));
  ASSERT_NO_FATAL_FAILURE(LimitQemu(static_cast<rlim_t>(AddressSpace() + 64 * kMiB)));
  const auto refused = operator_->Resize(Name(), kGiB);
  ASSERT_NO_FATAL_FAILURE(LimitQemu(RLIM_INFINITY));
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_FALSE(refused->result.complete());
  EXPECT_THAT(refused->result.reason(), HasSubstr("Cannot allocate memory"));
  EXPECT_EQ(refused->result.size_bytes(), 512 * kMiB);
  EXPECT_EQ(NumberOfDimms(), 0);
  EXPECT_THAT(Backends(), IsEmpty());
  EXPECT_EQ(OnlineBytes(), 512 * kMiB);
  ExpectWell();
  ResizeAndCheck(kGiB);
  EXPECT_EQ(Backends().size(), static_cast<size_t>(NumberOfDimms()));
}

TEST_F(ResizeFaultsTest, WhatCannotMoveIsNamedToTheOperatorAndInTheLog) {
  ASSERT_NO_FATAL_FAILURE(Begin(TwoSlots(), "mode = guard"));
  ASSERT_NO_FATAL_FAILURE(ResizeAndCheck(kGiB + 512 * kMiB));
  auto pins = guest_->ExecAsync("lab-guest pin --mib 8 --hold-ms 600000 > /run/pin.log");
  ASSERT_TRUE(pins.ok());
  HotplugGuest blocks(*guest_);
  ASSERT_TRUE(blocks.Eventually([&](const auto&) { return !blocks.Run("grep held /run/pin.log").empty(); }));
  const auto shrunk = operator_->Resize(Name(), 512 * kMiB);
  ASSERT_TRUE(shrunk.ok()) << shrunk.status();
  const auto& result = shrunk->result;
  EXPECT_FALSE(result.complete());
  EXPECT_EQ(result.size_bytes(), kGiB) << "the other one leaves: " << result.ShortDebugString();
  EXPECT_EQ(SizeByQmp(), kGiB);
  EXPECT_EQ(OnlineBytes(), kGiB) << "all of the DIMM that stays is in use";
  EXPECT_THAT(result.reason(), HasSubstr("cannot go offline"));
  ASSERT_GE(result.refused_size(), 1);
  for (const auto& block : result.refused()) {
    EXPECT_EQ(block.address() % kBlock, 0);
    EXPECT_GE(block.address(), 4 * kGiB);
    EXPECT_NE(block.reason(), "");
    EXPECT_THAT(bridge_->Log(),
                HasSubstr(absl::StrFormat("; block at 0x%x: %s", block.address(), block.reason())));
  }
  ExpectWell();
}

}  // namespace
}  // namespace ballast::lab
