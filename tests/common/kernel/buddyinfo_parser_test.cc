#include "common/kernel/buddyinfo_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::HasSubstr;

TEST(Buddyinfo, CountsLargerBlocksAsWhatTheyAreMadeOf) {
  // DMA: 1 of order 9 and 3 of order 10; DMA32: 2 and 86.
  EXPECT_EQ(*ParseFreeBlocks(Fixture("buddyinfo-6.1"), 9), 1 + 2 * 3 + 2 + 2 * 86);
  EXPECT_EQ(*ParseFreeBlocks(Fixture("buddyinfo-6.1"), 10), 3 + 86);
  EXPECT_EQ(*ParseFreeBlocks(Fixture("buddyinfo-6.12"), 9), 1 + 2 * 3 + 2 + 2 * 84);
}

TEST(Buddyinfo, AMachineWithoutSuchBlocksHasNone) {
  EXPECT_EQ(*ParseFreeBlocks("Node 0, zone   Normal      5      1\n", 9), 0);
  EXPECT_EQ(*ParseFreeBlocks("Node 1, zone   Normal      5      1\n", 0), 7) << "5 + 2 * 1 pages";
}

TEST(Buddyinfo, SaysWhichLineIsWrong) {
  for (const char* text : {"Node 0, zone DMA 1 2\nNode 0, zone Normal 1 x\n",
                           "Node 0, zone DMA 1\nzone Normal 1\n", "Node 0, zone DMA 1\nNode 0, zone Normal\n",
                           "Node 0, zone DMA 1\nNode 0, zone Normal 9223372036854775807\n"}) {
    const auto blocks = ParseFreeBlocks(text, 0);
    EXPECT_TRUE(absl::IsInvalidArgument(blocks.status())) << text;
    EXPECT_THAT(std::string(blocks.status().message()), HasSubstr("line 2")) << text;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(ParseFreeBlocks("", 9).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(ParseFreeBlocks("Node 0, zone DMA 0 4611686018427387904\n", 0).status()))
      << "the sum would not fit";
}

}  // namespace
}  // namespace ballast::kernel
