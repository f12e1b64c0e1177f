#include "guest-agent/service/convert_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/units.h"

namespace ballast::agent {
namespace {

using kernel::BlockState;
using kernel::ZoneKind;
using ::testing::HasSubstr;

constexpr int64_t kBlock = 128 * kMiB;

TEST(ConvertBlocks, WishesAreTakenWithTheirRanges) {
  guest::v1::OnlineMemoryRequest online;
  EXPECT_EQ(ToWish(online)->choice, ZoneChoice::kAuto);
  online.add_ranges()->set_address(4 * kGiB);
  online.mutable_ranges(0)->set_bytes(kBlock);
  online.set_bytes(7);
  online.set_zone(guest::v1::ONLINE_ZONE_MOVABLE);
  const auto wish = ToWish(online);
  ASSERT_TRUE(wish.ok()) << wish.status();
  ASSERT_EQ(wish->ranges.size(), 1u);
  EXPECT_EQ(wish->ranges[0].address, 4 * kGiB);
  EXPECT_EQ(wish->ranges[0].bytes, kBlock);
  EXPECT_EQ(wish->bytes, 7);
  EXPECT_EQ(wish->choice, ZoneChoice::kMovable);

  guest::v1::OfflineMemoryRequest offline;
  offline.set_all_or_nothing(true);
  offline.set_put_back_after_ms(3'600'000);
  const auto out = ToWish(offline);
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_TRUE(out->all_or_nothing);
  EXPECT_EQ(out->put_back_after, Seconds(3600));
}

template <typename Request>
void ExpectRefused(const Request& request, const char* says) {
  const auto wish = ToWish(request);
  EXPECT_TRUE(absl::IsInvalidArgument(wish.status()));
  EXPECT_THAT(std::string(wish.status().message()), HasSubstr(says));
}

TEST(ConvertBlocks, WhatIsOutOfRangeIsNamed) {
  guest::v1::OnlineMemoryRequest online;
  online.set_bytes(-1);
  ExpectRefused(online, "bytes is -1; allowed: 0..2^57");
  online.set_bytes(0);
  online.set_zone(static_cast<guest::v1::OnlineZone>(9));
  ExpectRefused(online, "zone is 9; allowed: 0 to 3");

  guest::v1::OfflineMemoryRequest offline;
  offline.add_ranges()->set_bytes(kBlock);
  offline.add_ranges()->set_address(-5);
  ExpectRefused(offline, "ranges[1].address is -5");
  offline.mutable_ranges(1)->set_address(0);
  ExpectRefused(offline, "ranges[1].bytes is 0; allowed: 1..2^57");
  offline.mutable_ranges(1)->set_bytes(1);
  offline.set_put_back_after_ms(3'600'001);
  ExpectRefused(offline, "put_back_after_ms is 3600001");
  offline.set_put_back_after_ms(0);
  while (offline.ranges_size() < 257) offline.add_ranges()->set_bytes(1);
  ExpectRefused(offline, "257 ranges; allowed: at most 256");
}

TEST(ConvertBlocks, ResultsSayWhatBecameOfEachBlock) {
  guest::v1::OfflineMemoryResponse response;
  FillResult({kBlock,
              {{33, BlockResult::Kind::kFailed, 16, "held", "Movable"},
               {34, BlockResult::Kind::kBroughtBack, 0, "", "Normal"}},
              Stop::kExhausted,
              Milliseconds(12)},
             response);
  EXPECT_EQ(response.offline_bytes(), kBlock);
  EXPECT_EQ(response.stop(), guest::v1::STOP_EXHAUSTED);
  EXPECT_EQ(response.duration_ms(), 12);
  ASSERT_EQ(response.blocks_size(), 2);
  EXPECT_EQ(response.blocks(0).ShortDebugString(),
            "block: 33 result: RESULT_FAILED error: 16 reason: \"held\" zone: \"Movable\"");
  EXPECT_EQ(response.blocks(1).result(), guest::v1::BlockResult::RESULT_BROUGHT_BACK);
}

TEST(ConvertBlocks, OfManyResultsTheRefusalsAreToldAndTheRestIsCounted) {
  BlocksResult result{0, {}, Stop::kExhausted, Milliseconds(1)};
  for (int64_t number = 0; number < 20'000; ++number) {
    const auto kind = number % 40 == 39 ? BlockResult::Kind::kFailed
                      : number < 10'000 ? BlockResult::Kind::kDone
                                        : BlockResult::Kind::kSkipped;
    result.blocks.push_back({number, kind, 0, std::string(200, 'x'), "Movable"});
  }
  guest::v1::OfflineMemoryResponse response;
  FillResult(result, response);
  ASSERT_EQ(response.blocks_size(), 1024);
  EXPECT_EQ(response.more_blocks(), 20'000 - 1024);
  EXPECT_LT(response.ByteSizeLong(), 512u * 1024);
  int failed = 0;
  int64_t last = -1;
  for (const guest::v1::BlockResult& block : response.blocks()) {
    EXPECT_GT(block.block(), last);
    last = block.block();
    EXPECT_NE(block.result(), guest::v1::BlockResult::RESULT_DONE);
    if (block.result() == guest::v1::BlockResult::RESULT_FAILED) ++failed;
  }
  EXPECT_EQ(failed, 500) << "all of them";
  guest::v1::OnlineMemoryResponse few;
  result.blocks.resize(1024);
  FillResult(result, few);
  EXPECT_EQ(few.blocks_size(), 1024);
  EXPECT_EQ(few.more_blocks(), 0);
}

TEST(ConvertBlocks, RangesBearTheStateAndTheZone) {
  guest::v1::BlocksChanged event;
  FillChanges({{0, 1, BlockState::kOnline, std::nullopt},
               {32, 2, BlockState::kOnline, ZoneKind::kMovable},
               {40, 1, BlockState::kGoingOffline, std::nullopt},
               {50, 3, std::nullopt, std::nullopt}},
              event);
  ASSERT_EQ(event.ranges_size(), 4);
  EXPECT_EQ(event.ranges(0).zone(), "none");
  EXPECT_EQ(event.ranges(1).ShortDebugString(),
            "first: 32 count: 2 state: BLOCK_STATE_ONLINE zone: \"Movable\"");
  EXPECT_EQ(event.ranges(2).state(), guest::v1::BLOCK_STATE_GOING_OFFLINE);
  EXPECT_EQ(event.ranges(3).state(), guest::v1::BLOCK_STATE_GONE);
  guest::v1::BlocksChanged many;
  FillChanges(std::vector<BlockRange>(257, BlockRange{1, 1, BlockState::kOffline, std::nullopt}), many);
  EXPECT_EQ(many.ranges_size(), 0) << "then the list has to be asked for";
}

TEST(ConvertBlocks, RoomIsSaidOnlyWhereItIsKnownAndMatters) {
  kernel::Zones zones;
  zones.Add({.kind = ZoneKind::kNormal, .free_bytes = kGiB, .managed_bytes = kGiB, .present_bytes = kGiB});
  BlockFacts facts{{kBlock, 3 * kBlock, kBlock, kBlock, kBlock}, false};
  guest::v1::MemoryBlocks wire;
  FillSums(facts, &zones, wire);
  EXPECT_EQ(wire.online_bytes(), 3 * kBlock);
  EXPECT_EQ(wire.failed_bytes(), kBlock);
  EXPECT_EQ(wire.room_bytes(), RoomBytes(zones, kBlock));
  wire.Clear();
  FillSums(facts, nullptr, wire);
  EXPECT_FALSE(wire.has_room_bytes());
  facts.memmap_on_memory = true;
  FillSums(facts, &zones, wire);
  EXPECT_FALSE(wire.has_room_bytes());
}

}  // namespace
}  // namespace ballast::agent
