#include "guest-agent/act/zram_profile_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/units.h"
#include "guest-agent/act/zram_state_parser.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = ZramStepKind;

const GuestRoom kRoom{.usable_bytes = kGiB, .available_bytes = 600 * kMiB, .reserve_bytes = 200 * kMiB};

// 256 MiB of swap, half full, compressed to a third.
ZramState InUse() {
  ZramState state;
  state.name = "zram0";
  state.disksize_bytes = 256 * kMiB;
  state.algorithm = "lz4";
  state.algorithms = {"lzo", "lz4", "zstd"};
  state.memory.original_bytes = 120 * kMiB;
  state.memory.memory_used_bytes = 40 * kMiB;
  state.memory.memory_limit_bytes = 100 * kMiB;
  state.swap = SwapUse{120 * kMiB, -2};
  return state;
}

ZramState Fresh() {
  ZramState state;
  state.name = "zram0";
  state.algorithm = "lz4";
  state.algorithms = {"lz4", "zstd"};
  return state;
}

std::vector<Kind> KindsOf(const std::vector<ZramStep>& steps) {
  std::vector<Kind> kinds;
  for (const ZramStep& step : steps) kinds.push_back(step.kind);
  return kinds;
}

TEST(ZramSteps, AFreshDeviceIsSizedAndSwappedOnBeforeAnyDisk) {
  const auto plan = PlanZramProfile(Fresh(), {.size_permyriad = 5'000, .algorithm = "zstd"}, kRoom);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->steps,
              ElementsAre(ZramStep{Kind::kAlgorithm, "zstd"}, ZramStep{Kind::kDisksize, "536866816"},
                          ZramStep{Kind::kMakeSwap, ""}, ZramStep{Kind::kSwapOn, "100"}));
  EXPECT_THAT(plan->restore, IsEmpty());
}

TEST(ZramSteps, ADeviceInUseIsEmptiedFirstAndKeepsItsOtherSettings) {
  ZramState state = InUse();
  state.backing_device = "/dev/vdb";
  state.recompressors = {"algo=zstd priority=1"};
  const auto plan = PlanZramProfile(state, {.size_permyriad = 10'000}, kRoom);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->steps,
              ElementsAre(ZramStep{Kind::kSwapOff, ""}, ZramStep{Kind::kReset, "1"},
                          ZramStep{Kind::kBackingDevice, "/dev/vdb"}, ZramStep{Kind::kAlgorithm, "lz4"},
                          ZramStep{Kind::kRecompressor, "algo=zstd priority=1"},
                          ZramStep{Kind::kDisksize, "1073737728"}, ZramStep{Kind::kMemoryLimit, "104857600"},
                          ZramStep{Kind::kMakeSwap, ""}, ZramStep{Kind::kSwapOn, ""}));
  EXPECT_THAT(KindsOf(plan->restore),
              ElementsAre(Kind::kReset, Kind::kBackingDevice, Kind::kAlgorithm, Kind::kRecompressor,
                          Kind::kDisksize, Kind::kMemoryLimit, Kind::kMakeSwap, Kind::kSwapOn));
  EXPECT_EQ(plan->restore[4].value, "268435456") << "its former size";
}

TEST(ZramSteps, AnotherAlgorithmAloneNeedsAResetToo) {
  const auto plan = PlanZramProfile(InUse(), {.algorithm = "zstd", .memory_limit_bytes = 0}, kRoom);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(KindsOf(plan->steps), ElementsAre(Kind::kSwapOff, Kind::kReset, Kind::kAlgorithm,
                                                Kind::kDisksize, Kind::kMakeSwap, Kind::kSwapOn));
  EXPECT_EQ(plan->steps[3].value, "268435456");
}

TEST(ZramSteps, EmptyingIsRefusedWhenItDoesNotFit) {
  GuestRoom room = kRoom;
  room.available_bytes = 280 * kMiB;  // 80 MiB more are needed than the device itself gives back
  EXPECT_TRUE(PlanZramProfile(InUse(), {.size_permyriad = 10'000}, room).ok());
  room.available_bytes -= 1;
  const auto plan = PlanZramProfile(InUse(), {.size_permyriad = 10'000}, room);
  EXPECT_TRUE(absl::IsFailedPrecondition(plan.status())) << plan.status();
  EXPECT_THAT(std::string(plan.status().message()),
              HasSubstr("120MiB of swap (40MiB compressed) do not fit"));
  EXPECT_TRUE(PlanZramProfile(InUse(), {.memory_limit_bytes = kMiB}, room).ok()) << "a limit needs no room";
}

TEST(ZramSteps, ADeviceThatIsNoSwapIsNotTouched) {
  ZramState state = InUse();
  state.swap.reset();
  const auto plan = PlanZramProfile(state, {.size_permyriad = 10'000}, kRoom);
  EXPECT_TRUE(absl::IsFailedPrecondition(plan.status()));
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("no swap (120MiB stored)"));
}

TEST(ZramSteps, TheLimitChangesAnyTimeAndWhatIsAsWishedIsLeft) {
  const GuestRoom full{.usable_bytes = kGiB, .available_bytes = 0, .reserve_bytes = 0};
  ZramState exact = InUse();
  exact.disksize_bytes = kGiB / 10'000 * 2'500 / 4096 * 4096;
  const auto plan = PlanZramProfile(
      exact, {.size_permyriad = 2'500, .algorithm = "lz4", .memory_limit_bytes = 64 * kMiB}, full);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->steps, ElementsAre(ZramStep{Kind::kMemoryLimit, "67108864"}));
  EXPECT_THAT(plan->skipped, ElementsAre("disksize: is as wished", "algorithm: is as wished"));
}

TEST(ZramSteps, WritingBackAndRecompressingOnlyWhereTheKernelAndTheDeviceCan) {
  ZramWish wish{.write_back_incompressible = true, .recompress = true};
  ZramState state = InUse();
  EXPECT_THAT(
      PlanZramProfile(state, wish, kRoom)->skipped,
      ElementsAre("write_back: this kernel's zram has none", "recompress: this kernel's zram has none"));
  state.can_write_back = state.can_recompress = true;
  EXPECT_THAT(PlanZramProfile(state, wish, kRoom)->skipped,
              ElementsAre("write_back: the device has no backing device",
                          "recompress: no secondary algorithm is set (recomp_algorithm)"));
  state.backing_device = "/dev/vdb";
  state.recompressors = {"algo=zstd priority=1"};
  const auto plan = PlanZramProfile(state, wish, kRoom);
  EXPECT_THAT(plan->steps,
              ElementsAre(ZramStep{Kind::kWriteBack, "huge"}, ZramStep{Kind::kRecompress, "type=huge"}));
  wish.size_permyriad = 10'000;
  EXPECT_THAT(PlanZramProfile(state, wish, kRoom)->skipped,
              ElementsAre("write_back: the device was emptied", "recompress: the device was emptied"));
}

TEST(ZramSteps, BadWishesAreNamed) {
  const auto fault = [](const ZramState& state, const ZramWish& wish) {
    const auto plan = PlanZramProfile(state, wish, kRoom);
    EXPECT_TRUE(absl::IsInvalidArgument(plan.status())) << plan.status();
    return std::string(plan.status().message());
  };
  EXPECT_THAT(fault(InUse(), {.size_permyriad = 99}), HasSubstr("size_permyriad is 99; allowed: 100..40000"));
  EXPECT_THAT(fault(InUse(), {.size_permyriad = 40'001}), HasSubstr("40001"));
  EXPECT_THAT(fault(InUse(), {.algorithm = "lzma"}), HasSubstr("'lzma'; this kernel offers: lzo lz4 zstd"));
  EXPECT_THAT(fault(InUse(), {.memory_limit_bytes = -1}), HasSubstr("memory_limit_bytes is -1"));
  EXPECT_THAT(fault(Fresh(), {.memory_limit_bytes = kMiB}), HasSubstr("zram0 has no size yet"));
}

TEST(ZramSteps, LargeMachinesDoNotOverflow) {
  const auto plan =
      PlanZramProfile(Fresh(), {.size_permyriad = 40'000},
                      {.usable_bytes = int64_t{1} << 50, .available_bytes = 0, .reserve_bytes = 0});
  ASSERT_TRUE(plan.ok());
  EXPECT_GT(std::stoll(plan->steps[1].value), int64_t{1} << 51);
}

TEST(ZramState, TheAlgorithmsAreThoseOfTheKernel) {
  const AlgorithmChoice choice = ParseAlgorithms(kernel::Fixture("comp_algorithm-6.1"));
  EXPECT_EQ(choice.in_use, "lz4");
  EXPECT_THAT(choice.offered, ElementsAre("lzo", "lzo-rle", "lz4", "lz4hc", "zstd"));
  EXPECT_EQ(ParseAlgorithms(kernel::Fixture("comp_algorithm-6.12")).in_use, "lz4");
}

TEST(ZramState, SwapAndRecompressorsAreFound) {
  const std::string swaps = kernel::Fixture("swaps-6.1");
  EXPECT_EQ(FindSwap(swaps, "/dev/zram0"), (SwapUse{58368 * kKiB, -2}));
  EXPECT_EQ(FindSwap(swaps, "/dev/zram"), std::nullopt);
  EXPECT_EQ(FindSwap("", "/dev/zram0"), std::nullopt);
  EXPECT_EQ(FindSwap("/dev/zram0 partition 1 x 5\n", "/dev/zram0"), std::nullopt);
  EXPECT_THAT(ParseRecompressors("#1: lzo lz4 [zstd] \n#2: [lzo] lz4\n#3: lzo lz4\n"),
              ElementsAre("algo=zstd priority=1", "algo=lzo priority=2"));
  EXPECT_THAT(ParseRecompressors(""), IsEmpty());
}

}  // namespace
}  // namespace ballast::agent
