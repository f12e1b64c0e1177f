#include "common/base/size_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "common/base/text.h"
#include "common/base/units.h"

namespace ballast {
namespace {

using ::testing::HasSubstr;

TEST(ParseSize, ReadsBinaryUnits) {
  EXPECT_EQ(*ParseSize("128MiB"), 128 * kMiB);
  EXPECT_EQ(*ParseSize("4GiB"), 4 * kGiB);
  EXPECT_EQ(*ParseSize("64 KiB"), 64 * kKiB);
  EXPECT_EQ(*ParseSize("0"), 0);
  EXPECT_EQ(*ParseSize(FormatSize(0)), 0);
}

TEST(ParseSize, RefusesDecimalUnitsWithAHint) {
  const auto size = ParseSize("128MB");
  ASSERT_FALSE(size.ok());
  EXPECT_THAT(MessageOf(size.status()), HasSubstr("write '128MiB'"));
}

TEST(ParseSize, RefusesWhatIsNotASize) {
  EXPECT_THAT(MessageOf(ParseSize("128").status()), HasSubstr("has no unit"));
  EXPECT_THAT(MessageOf(ParseSize("lots").status()), HasSubstr("not a whole number"));
  EXPECT_THAT(MessageOf(ParseSize("-1MiB").status()), HasSubstr("not a whole number"));
  EXPECT_THAT(MessageOf(ParseSize("1.5GiB").status()), HasSubstr("unknown unit"));
  EXPECT_THAT(MessageOf(ParseSize("12PiB").status()), HasSubstr("unknown unit"));
  EXPECT_THAT(MessageOf(ParseSize("").status()), HasSubstr("not a whole number"));
}

TEST(ParseSize, RefusesWhatDoesNotFit) {
  EXPECT_THAT(MessageOf(ParseSize("99999999999999999999MiB").status()), HasSubstr("larger than"));
  EXPECT_THAT(MessageOf(ParseSize("9999999999TiB").status()), HasSubstr("larger than"));
}

TEST(FormatSize, IsShortAndExactWhereItCanBe) {
  EXPECT_EQ(FormatSize(768 * kMiB), "768MiB");
  EXPECT_EQ(FormatSize(2 * kGiB), "2GiB");
  EXPECT_EQ(FormatSize(kGiB + kGiB / 2), "1.5GiB");
  EXPECT_EQ(FormatSize(0), "0B");
  EXPECT_EQ(FormatSize(-16 * kMiB), "-16MiB");
  EXPECT_EQ(FormatSize(std::numeric_limits<int64_t>::min()), "-8388608.0TiB");
}

TEST(Units, TheTwoBalloonNumbersAreMirrorImages) {
  EXPECT_EQ(ToGuestVisible(BalloonBytes{256 * kMiB}, kGiB).count, 768 * kMiB);
  EXPECT_EQ(ToBalloon(ToGuestVisible(BalloonBytes{256 * kMiB}, kGiB), kGiB).count, 256 * kMiB);
}

}  // namespace
}  // namespace ballast
