#include "host-bridge/config/value_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/size_text.h"
#include "common/base/units.h"

namespace ballast::config {
namespace {

using ::testing::HasSubstr;

TEST(Duration, ReadsItsUnits) {
  EXPECT_EQ(*ParseDuration("100ms"), Milliseconds(100));
  EXPECT_EQ(*ParseDuration("2 s"), Seconds(2));
  EXPECT_EQ(*ParseDuration("30min"), Seconds(1800));
  EXPECT_EQ(*ParseDuration("1h"), Seconds(3600));
  EXPECT_EQ(*ParseDuration("250us"), Microseconds(250));
  EXPECT_EQ(*ParseDuration("0"), Nanos{0});
}

TEST(Duration, RefusesTheRest) {
  EXPECT_THAT(MessageOf(ParseDuration("5").status()), HasSubstr("write for example '5s' or '5ms'"));
  EXPECT_THAT(MessageOf(ParseDuration("5 days").status()), HasSubstr("unknown unit 'days'"));
  EXPECT_THAT(MessageOf(ParseDuration("1.5s").status()), HasSubstr("unknown unit"));
  EXPECT_THAT(MessageOf(ParseDuration("9999999999h").status()), HasSubstr("longer than"));
  for (const char* text : {"", "-1s", "s", "99999999999999999999s", "+1s"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(Duration, IsWrittenInTheLargestExactUnit) {
  EXPECT_EQ(FormatDuration(Milliseconds(1500)), "1500ms");
  EXPECT_EQ(FormatDuration(Seconds(90)), "90s");
  EXPECT_EQ(FormatDuration(Seconds(1800)), "30min");
  EXPECT_EQ(FormatDuration(Nanos{0}), "0");
}

TEST(Percent, ReadsUpToTwoDecimals) {
  EXPECT_EQ(*ParsePercent("10%"), 1000);
  EXPECT_EQ(*ParsePercent("2.5%"), 250);
  EXPECT_EQ(*ParsePercent("0.01 %"), 1);
  EXPECT_EQ(*ParsePercent("100%"), 10'000);
  EXPECT_EQ(*ParsePercent("0%"), 0);
}

TEST(Percent, RefusesTheRest) {
  for (const char* text : {"", "10", "101%", "100.01%", "-1%", "1.%", ".5%", "1.234%", "%", "1e1%", "ten%"}) {
    EXPECT_FALSE(ParsePercent(text).ok()) << text;
  }
}

TEST(Percent, EveryPermyriadIsReadBackExactly) {
  for (int32_t permyriad = 0; permyriad <= 10'000; ++permyriad) {
    ASSERT_EQ(*ParsePercent(FormatPercent(permyriad)), permyriad);
  }
  EXPECT_EQ(FormatPercent(250), "2.5%");
  EXPECT_EQ(FormatPercent(205), "2.05%");
}

TEST(ExactSize, IsNeverRounded) {
  for (const int64_t bytes : {int64_t{0}, kKiB, 1536 * kMiB, 3 * kGiB, 2048 * kGiB, kGiB + kKiB}) {
    EXPECT_EQ(*ParseSize(FormatExactSize(bytes)), bytes);
  }
  EXPECT_EQ(FormatExactSize(1536 * kMiB), "1536MiB");
}

TEST(Nearest, FindsSlipsAndLeavesOtherWordsAlone) {
  EXPECT_EQ(Nearest("celing", {"floor", "ceiling"}), "ceiling");
  EXPECT_EQ(Nearest("contol", {"control", "agent"}), "control");
  EXPECT_EQ(Nearest("memory", {"floor", "ceiling"}), "");
  EXPECT_EQ(Nearest("", {"floor"}), "");
}

}  // namespace
}  // namespace ballast::config
