#include "guest-agent/blocks/block_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/units.h"
#include "guest-agent/blocks/block_reader.h"
#include "tests/guest-agent/blocks/block_guest.h"

namespace ballast::agent {
namespace {

using kernel::BlockState;
using kernel::ZoneKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Block Online(int64_t number, std::optional<ZoneKind> zone = ZoneKind::kMovable) {
  return {.number = number, .state = BlockState::kOnline, .zone = zone};
}
Block Offline(int64_t number) { return {.number = number}; }

TEST(BlockReader, SeesWhatSysfsShows) {
  const BlockGuest guest;
  guest.Put("/sys/devices/system/memory/memory9/state", "garbage\n");
  const auto reader = BlockReader::Open(FileReader(guest.Root()));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(reader->BlockSizeBytes(), kTestBlock);
  const auto blocks = reader->Scan();
  ASSERT_TRUE(blocks.ok()) << blocks.status();
  EXPECT_THAT(*blocks, ElementsAre(Online(0, std::nullopt), Online(1, ZoneKind::kDma32),
                                   Online(2, ZoneKind::kDma32), Online(3, ZoneKind::kDma32)));
  EXPECT_EQ(reader->Read(77), std::nullopt);
}

TEST(BlockReader, NeverAsksAnOfflineBlockForItsZones) {
  BlockGuest guest;
  guest.AddBlock(32, "offline", "Movable");
  const auto reader = BlockReader::Open(FileReader(guest.Root()));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->Read(32), Offline(32)) << "what it says there is of no use, and asking is fatal";
}

TEST(BlockReader, SaysWhatIsMissing) {
  EXPECT_TRUE(absl::IsNotFound(BlockReader::Open(FileReader("/nowhere")).status()));
  const BlockGuest guest;
  guest.Put("/sys/devices/system/memory/block_size_bytes", "7\n");
  EXPECT_TRUE(absl::IsInvalidArgument(BlockReader::Open(FileReader(guest.Root())).status()));
}

TEST(BlockTable, SumsUpByStateAndZone) {
  BlockTable table(kTestBlock);
  table.Reset({Online(0, std::nullopt), Online(1, ZoneKind::kDma32), Offline(33)});
  table.Put(Online(32));
  table.Put({.number = 34, .state = BlockState::kGoingOffline});
  EXPECT_EQ(table.Sums(), (BlockSums{kTestBlock, 3 * kTestBlock, 2 * kTestBlock, kTestBlock, 0}));
  table.MarkFailed(33);
  table.MarkFailed(32);  // it is online
  EXPECT_EQ(table.Sums().failed_bytes, kTestBlock);
  table.Put(Offline(33));
  EXPECT_EQ(table.Sums().failed_bytes, kTestBlock) << "known until it is online";
  table.Put(Online(33));
  EXPECT_EQ(table.Sums(), (BlockSums{kTestBlock, 4 * kTestBlock, kTestBlock, 2 * kTestBlock, 0}));
  for (const int64_t number : {0, 1, 32, 33, 34, 34}) table.Remove(number);
  EXPECT_EQ(table.Sums(), BlockSums{kTestBlock});
}

TEST(BlockTable, TellsWhatChangedOnce) {
  BlockTable table(kTestBlock);
  table.Reset({Online(0, std::nullopt), Offline(32), Online(40)});
  EXPECT_THAT(table.TakeChanges(), IsEmpty()) << "the first time there is nothing to compare with";
  table.Put(Online(32));
  table.Put(Online(33));
  table.Remove(40);
  EXPECT_THAT(table.TakeChanges(), ElementsAre(BlockRange{32, 2, BlockState::kOnline, ZoneKind::kMovable},
                                               BlockRange{40, 1, std::nullopt, std::nullopt}));
  table.Put(Offline(33));
  table.Put(Online(33));
  table.MarkPlugged(33);
  EXPECT_THAT(table.TakeChanges(), IsEmpty()) << "it came back to what it was";
}

}  // namespace
}  // namespace ballast::agent
