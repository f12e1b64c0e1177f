// Memory blocks over the wire.
#include <gmock/gmock.h>

#include <memory>
#include <optional>

#include "guest-agent/blocks/block_acts.h"
#include "tests/guest-agent/blocks/block_guest.h"
#include "tests/guest-agent/service/agent_fixture.h"

namespace ballast::agent {
namespace {

using ::testing::HasSubstr;

class BlocksServiceTest : public AgentFixture {
 protected:
  void SetUp() override {
    guest_.AddBlock(32, "online", "Movable");
    auto keeper = BlockKeeper::Open(
        {.root = guest_.Root(), .online = ZoneChoice::kAuto, .page_size_bytes = 4096, .on_thread_start = {}},
        guest_.Events(), guest_, clock_);
    ASSERT_TRUE(keeper.ok()) << keeper.status();
    keeper_ = *std::move(keeper);
    acts_.emplace(BlockActs::Options{guest_.Root(), 4096, {}}, *keeper_, guest_, clock_);
    UseBlocks(&*acts_);
    AgentFixture::SetUp();
    ASSERT_TRUE(
        keeper_
            ->Start([this](const std::vector<BlockRange>& ranges) {
              Loop().Broadcast(
                  {clock_.Now(), BlocksChanged{std::make_shared<const std::vector<BlockRange>>(ranges)}});
            })
            .ok());
  }
  void TearDown() override {
    keeper_->Stop();
    AgentFixture::TearDown();
  }

  BlockGuest guest_;
  std::unique_ptr<BlockKeeper> keeper_;
  std::optional<BlockActs> acts_;
};

TEST_F(BlocksServiceTest, ANewBlockIsAnEventAndPartOfTheNextReport) {
  const auto watching = Watch();
  EXPECT_EQ(watching->Next().hello().report().memory_blocks().online_bytes(), 5 * kTestBlock);
  guest_.AddBlock(33, "offline");
  guest_.Send(kernel::BlockAction::kAdd, 33);
  const auto told = watching->Until([](const auto& message) { return message.event().has_blocks_changed(); });
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->event().blocks_changed().ShortDebugString(),
            "ranges { first: 33 count: 1 state: BLOCK_STATE_ONLINE zone: \"Movable\" }");
  EXPECT_EQ(Watch()->Next().hello().report().memory_blocks().movable_bytes(), 2 * kTestBlock);
}

TEST_F(BlocksServiceTest, BlocksAreListedTakenAndBroughtBack) {
  const auto stub = guest::v1::GuestAgent::NewStub(Connect());
  guest::v1::OfflineMemoryRequest take;
  take.set_bytes(1);
  take.set_brake_permyriad(10'000);
  guest::v1::OfflineMemoryResponse taken;
  grpc::ClientContext first;
  ASSERT_TRUE(stub->OfflineMemory(&first, take, &taken).ok());
  EXPECT_EQ(taken.offline_bytes(), kTestBlock);
  grpc::ClientContext second;
  guest::v1::ListMemoryBlocksResponse list;
  ASSERT_TRUE(stub->ListMemoryBlocks(&second, {}, &list).ok());
  EXPECT_EQ(list.block_size_bytes(), kTestBlock);
  ASSERT_EQ(list.ranges_size(), 3);
  EXPECT_EQ(list.ranges(2).state(), guest::v1::BLOCK_STATE_OFFLINE);
  grpc::ClientContext third;
  guest::v1::OnlineMemoryResponse back;
  ASSERT_TRUE(stub->OnlineMemory(&third, {}, &back).ok());
  EXPECT_EQ(back.online_bytes(), kTestBlock);
  EXPECT_EQ(guest_.State(32), "online\n");
}

TEST_F(BlocksServiceTest, NonsenseIsRefusedWithTheField) {
  const auto stub = guest::v1::GuestAgent::NewStub(Connect());
  guest::v1::OfflineMemoryRequest request;
  request.set_bytes(-1);
  guest::v1::OfflineMemoryResponse response;
  grpc::ClientContext context;
  const auto status = stub->OfflineMemory(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("bytes is -1"));
}

using NoBlocksTest = AgentFixture;

TEST_F(NoBlocksTest, AKernelWithoutBlocksIsSaid) {
  const auto stub = guest::v1::GuestAgent::NewStub(Connect());
  grpc::ClientContext context;
  guest::v1::ListMemoryBlocksResponse list;
  EXPECT_EQ(stub->ListMemoryBlocks(&context, {}, &list).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_FALSE(Watch()->Next().hello().report().has_memory_blocks());
}

}  // namespace
}  // namespace ballast::agent
