#include "common/journal/format.h"

#include <gtest/gtest.h>

#include "common/journal/crc32c.h"

namespace ballast::journal {
namespace {

// The check values of RFC 3720, appendix B.4.
TEST(Crc32c, HasThePublishedValues) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(Crc32c("56789", Crc32c("1234")), Crc32c("123456789"));
}

TEST(Block, IsReadBackAndChecked) {
  std::string block = MakeBlock(kBeginsFrame, "payload");
  const auto header = ParseBlockHeader(block);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->flags, kBeginsFrame);
  EXPECT_EQ(header->length, 7u);
  const std::string_view view = block;
  EXPECT_TRUE(ChecksumHolds(view.substr(0, kBlockHeaderBytes), view.substr(kBlockHeaderBytes)));
}

TEST(Block, RefusesHeadersThatNoWriterMakes) {
  const std::string good = MakeBlock(0, "x");
  const auto with = [&](size_t at, char value) {
    std::string bytes = good;
    bytes[at] = value;
    return ParseBlockHeader(bytes).has_value();
  };
  EXPECT_TRUE(ParseBlockHeader(good).has_value());
  EXPECT_FALSE(with(0, 'b'));
  EXPECT_FALSE(with(1, 'K'));
  EXPECT_FALSE(with(2, 2)) << "an unknown flag";
  EXPECT_FALSE(with(3, 1)) << "the reserved byte";
  EXPECT_FALSE(with(4, 0)) << "an empty payload";
  EXPECT_FALSE(with(7, 1)) << "16 MiB";
}

}  // namespace
}  // namespace ballast::journal
