#include "guest-agent/service/convert_act.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/units.h"
#include "guest-agent/service/convert_ask.h"

namespace ballast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
std::string FaultOf(const absl::StatusOr<T>& value) {
  EXPECT_TRUE(absl::IsInvalidArgument(value.status())) << value.status();
  return std::string(value.status().message());
}

TEST(ConvertAct, WishesAreTakenOver) {
  guest::v1::ReclaimRequest reclaim;
  reclaim.set_bytes(kMiB);
  reclaim.set_cgroup("/a");
  reclaim.set_cache_only(true);
  const auto wish = ToWish(reclaim);
  ASSERT_TRUE(wish.ok()) << wish.status();
  EXPECT_EQ(wish->bytes, kMiB);
  EXPECT_EQ(wish->cgroup, "/a");
  EXPECT_TRUE(wish->cache_only);
  guest::v1::ConfigureZramRequest zram;
  const auto nothing = ToWish(zram);
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->size_permyriad || nothing->algorithm || nothing->memory_limit_bytes);
  zram.set_device("zram1");
  zram.set_size_permyriad(5'000);
  zram.set_algorithm("lzo-rle");
  zram.set_memory_limit_bytes(0);
  zram.set_recompress(true);
  const auto all = ToWish(zram);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->device, "zram1");
  EXPECT_EQ(all->size_permyriad, 5'000);
  EXPECT_EQ(all->algorithm, "lzo-rle");
  EXPECT_EQ(all->memory_limit_bytes, 0);
  EXPECT_TRUE(all->recompress);
  EXPECT_FALSE(all->write_back_incompressible);
}

TEST(ConvertAct, FieldsOutOfRangeAreNamed) {
  guest::v1::ReclaimRequest reclaim;
  EXPECT_THAT(FaultOf(ToWish(reclaim)), HasSubstr("bytes is 0; allowed: 1..2^50"));
  guest::v1::ConfigureZramRequest zram;
  zram.set_device("../sda");
  EXPECT_THAT(FaultOf(ToWish(zram)), HasSubstr("device is '../sda'"));
  zram.set_device("zram0");
  zram.set_algorithm(std::string(65, 'z'));
  EXPECT_THAT(FaultOf(ToWish(zram)), HasSubstr("algorithm is"));
  guest::v1::SetSwappinessRequest swappiness;
  swappiness.set_swappiness(201);
  EXPECT_THAT(FaultOf(ToSwappiness(swappiness)), HasSubstr("swappiness is 201; allowed: 0..200"));
  swappiness.set_swappiness(-1);
  EXPECT_FALSE(ToSwappiness(swappiness).ok());
  EXPECT_THAT(FaultOf(ToBrake(10'001)), HasSubstr("brake_permyriad is 10001"));
  EXPECT_THAT(FaultOf(ToBrake(-1)), HasSubstr("brake_permyriad is -1"));
  EXPECT_EQ(*ToBrake(0), 100);
  EXPECT_EQ(*ToBrake(10'000), 10'000);
}

TEST(ConvertAct, ResultsReachTheWire) {
  guest::v1::ReclaimResponse reclaim;
  FillResult(ReclaimResult{5, -6, Stop::kPressure, "memory.reclaim", Milliseconds(7)}, reclaim);
  EXPECT_EQ(reclaim.reclaimed_bytes(), 5);
  EXPECT_EQ(reclaim.available_change_bytes(), -6);
  EXPECT_EQ(reclaim.stop(), guest::v1::STOP_PRESSURE);
  EXPECT_EQ(reclaim.method(), "memory.reclaim");
  EXPECT_EQ(reclaim.duration_ms(), 7);
  guest::v1::CompactResponse compact;
  FillResult(CompactResult{1, 2, 3, Stop::kCancelled, Milliseconds(4)}, compact);
  EXPECT_EQ(compact.free_blocks_before(), 1);
  EXPECT_EQ(compact.free_blocks_after(), 2);
  EXPECT_EQ(compact.block_bytes(), 3);
  EXPECT_EQ(compact.stop(), guest::v1::STOP_CANCELLED);
  EXPECT_EQ(compact.duration_ms(), 4);
}

TEST(ConvertAct, ADevicesFiguresAreWorkedOut) {
  ZramResult result;
  result.device.name = "zram0";
  result.device.disksize_bytes = 100 * kMiB;
  result.device.memory.original_bytes = 50 * kMiB;
  result.device.memory.memory_used_bytes = 10 * kMiB;
  result.device.memory.memory_limit_bytes = 15 * kMiB;
  result.device.memory.same_pages = 10 * kMiB / 4096;
  result.device.memory.incompressible_pages = 5 * kMiB / 4096;
  result.freed_bytes = -3;
  result.done = {"swapoff"};
  result.skipped = {"recompress: why"};
  result.stop = Stop::kExhausted;
  guest::v1::ConfigureZramResponse response;
  FillResult(result, response);
  EXPECT_EQ(response.device().fill_permyriad(), 6'666) << "of its limit, which is nearer than its size";
  EXPECT_EQ(response.device().ratio_permille(), 4'000);
  EXPECT_EQ(response.device().incompressible_permyriad(), 1'000);
  EXPECT_EQ(response.freed_bytes(), -3);
  EXPECT_THAT(response.done(), ElementsAre("swapoff"));
  EXPECT_THAT(response.skipped(), ElementsAre("recompress: why"));
  EXPECT_EQ(response.stop(), guest::v1::STOP_EXHAUSTED);
}

TEST(ConvertAsk, AnUnknownUrgencyIsANormalOne) {
  guest::v1::RequestMemoryRequest wire;
  wire.set_bytes(1);
  wire.set_urgency(static_cast<guest::v1::Urgency>(17));
  const auto request = ToRequest(wire);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->urgency, Urgency::kNormal);
  EXPECT_EQ(request->deadline_ms, 2'000);
}

}  // namespace
}  // namespace ballast::agent
