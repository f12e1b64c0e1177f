#include "host-bridge/observe/convert_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "common/base/text.h"
#include "common/base/units.h"

namespace ballast::observe {
namespace {

namespace wire = ballast::guest::v1;
using ::testing::HasSubstr;

constexpr int64_t kBlock = 128 * kMiB;

wire::Report Report() {
  wire::Report report;
  wire::MemoryBlocks& blocks = *report.mutable_memory_blocks();
  blocks.set_block_size_bytes(kBlock);
  blocks.set_online_bytes(8 * kBlock);
  blocks.set_offline_bytes(2 * kBlock);
  blocks.set_movable_bytes(4 * kBlock);
  return report;
}

std::string FaultOf(const wire::Report& report) {
  Checker check;
  CheckBlocks(report, check);
  return MessageOf(check.status());
}

TEST(ConvertBlocksTest, AReportsSumsAreTaken) {
  EXPECT_EQ(FaultOf(Report()), "");
  const auto reading = BlocksOf(Report());
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->offline_bytes, 2 * kBlock);
  EXPECT_EQ(reading->movable_bytes, 4 * kBlock);
  EXPECT_FALSE(reading->room_bytes);
  EXPECT_FALSE(BlocksOf(wire::Report()));
}

TEST(ConvertBlocksTest, ABlockSizeThatCannotBeIsNone) {
  wire::GetInfoResponse info;
  EXPECT_EQ(BlockBytesOf(info), 0);
  for (const auto& [said, believed] : {std::pair{2 * kGiB, 2 * kGiB},
                                       {kBlock + 1, int64_t{0}},
                                       {int64_t{1}, int64_t{0}},
                                       {int64_t{-1} << 63, int64_t{0}},
                                       {int64_t{1} << 62, int64_t{0}}}) {
    info.mutable_memory_hotplug()->set_block_size_bytes(said);
    EXPECT_EQ(BlockBytesOf(info), believed) << said;
  }
}

TEST(ConvertBlocksTest, SumsThatCannotBeAreNamed) {
  wire::Report report = Report();
  report.mutable_memory_blocks()->set_movable_bytes(9 * kBlock);
  EXPECT_THAT(FaultOf(report), HasSubstr("memory_blocks.movable_bytes"));
  report = Report();
  report.mutable_memory_blocks()->set_failed_bytes(3 * kBlock);
  EXPECT_THAT(FaultOf(report), HasSubstr("memory_blocks.failed_bytes"));
  report = Report();
  report.mutable_memory_blocks()->set_block_size_bytes(100 * kMiB);
  EXPECT_THAT(FaultOf(report), HasSubstr("is no power of two"));
  report = Report();
  report.mutable_memory_blocks()->set_room_bytes(-1);
  EXPECT_THAT(FaultOf(report), HasSubstr("memory_blocks.room_bytes"));
  report = Report();
  report.mutable_memory_blocks()->set_offline_bytes(INT64_MAX);
  EXPECT_THAT(FaultOf(report), HasSubstr("memory_blocks.offline_bytes"));
}

wire::ListMemoryBlocksResponse Listing() {
  wire::ListMemoryBlocksResponse response;
  response.set_block_size_bytes(kBlock);
  const auto add = [&](int64_t first, int64_t count, wire::BlockState state, const char* zone) {
    wire::BlockRange& range = *response.add_ranges();
    range.set_first(first);
    range.set_count(count);
    range.set_state(state);
    range.set_zone(zone);
  };
  add(0, 4, wire::BLOCK_STATE_ONLINE, "Normal");
  add(32, 2, wire::BLOCK_STATE_ONLINE, "Movable");
  add(34, 1, wire::BLOCK_STATE_OFFLINE, "");
  return response;
}

TEST(ConvertBlocksTest, AListingBecomesAddresses) {
  const auto receipt = ConvertBlocks(Listing());
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->block_bytes, kBlock);
  ASSERT_EQ(receipt->spans.size(), 3u);
  EXPECT_EQ(receipt->spans[0], (BlockSpan{{0, 4 * kBlock}, BlockState::kOnline, false}));
  EXPECT_EQ(receipt->spans[1], (BlockSpan{{32 * kBlock, 2 * kBlock}, BlockState::kOnline, true}));
  EXPECT_EQ(receipt->spans[2], (BlockSpan{{34 * kBlock, kBlock}, BlockState::kOffline, false}));
}

TEST(ConvertBlocksTest, AListingOutOfOrderOrRangeIsRejectedWhole) {
  wire::ListMemoryBlocksResponse listing = Listing();
  listing.mutable_ranges(1)->set_first(3);
  EXPECT_THAT(MessageOf(ConvertBlocks(listing).status()), HasSubstr("ranges.first = 3"));
  listing = Listing();
  listing.mutable_ranges(2)->set_count(INT64_MAX);
  EXPECT_THAT(MessageOf(ConvertBlocks(listing).status()), HasSubstr("ranges.count"));
  listing = Listing();
  listing.set_block_size_bytes(0);
  EXPECT_THAT(MessageOf(ConvertBlocks(listing).status()), HasSubstr("block_size_bytes"));
}

TEST(ConvertBlocksTest, WhatWasRefusedIsKeptWithItsReason) {
  wire::OfflineMemoryResponse response;
  response.set_offline_bytes(kBlock);
  const auto add = [&](int64_t block, wire::BlockResult::Result result, const char* reason) {
    wire::BlockResult& added = *response.add_blocks();
    added.set_block(block);
    added.set_result(result);
    added.set_error(result == wire::BlockResult::RESULT_FAILED ? 16 : 0);
    added.set_reason(reason);
  };
  add(34, wire::BlockResult::RESULT_SKIPPED, "the deadline was over");
  add(33, wire::BlockResult::RESULT_FAILED, "busy\x1b[31m");
  add(32, wire::BlockResult::RESULT_DONE, "");
  add(31, wire::BlockResult::RESULT_BROUGHT_BACK, "");
  const auto receipt = ConvertBlocks(response, kBlock);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->changed_bytes, kBlock);
  ASSERT_EQ(receipt->refused.size(), 2u);
  EXPECT_EQ(receipt->refused[0], (BlockRefusal{33 * kBlock, 16, "busy?[31m"}));
  EXPECT_EQ(receipt->refused[1].address, 34 * kBlock);
  EXPECT_FALSE(receipt->pressed);
  response.set_stop(wire::STOP_PRESSURE);
  EXPECT_TRUE(ConvertBlocks(response, kBlock)->pressed);
}

TEST(ConvertBlocksTest, AnAnswerThatCannotBeIsRejectedWhole) {
  wire::OnlineMemoryResponse response;
  response.set_online_bytes(-1);
  EXPECT_THAT(MessageOf(ConvertBlocks(response, kBlock).status()), HasSubstr("changed_bytes = -1"));
  response.set_online_bytes(0);
  response.add_blocks()->set_block(INT64_MAX);
  EXPECT_THAT(MessageOf(ConvertBlocks(response, kBlock).status()), HasSubstr("blocks.block"));
}

TEST(ConvertBlocksTest, AnOrderBecomesARequest) {
  const BlockOrder order{.id = 1,
                         .action = BlockAction::kOffline,
                         .ranges = {{4 * kGiB, kBlock}},
                         .bytes = kBlock,
                         .all_or_nothing = true,
                         .put_back_after = Seconds(5)};
  wire::OfflineMemoryRequest request;
  FillRequest(order, request);
  ASSERT_EQ(request.ranges_size(), 1);
  EXPECT_EQ(request.ranges(0).address(), 4 * kGiB);
  EXPECT_EQ(request.bytes(), kBlock);
  EXPECT_TRUE(request.all_or_nothing());
  EXPECT_EQ(request.put_back_after_ms(), 5000);
}

}  // namespace
}  // namespace ballast::observe
