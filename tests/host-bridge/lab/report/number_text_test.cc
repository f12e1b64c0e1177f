#include "host-bridge/lab/report/number_text.h"

#include <gtest/gtest.h>

#include <limits>

#include "common/base/units.h"

namespace ballast::sim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(NumberText, CountsAreGrouped) {
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(1000), "1,000");
  EXPECT_EQ(CountText(-1234567), "-1,234,567");
  EXPECT_EQ(CountText(-100), "-100");
}

TEST(NumberText, OnlyNothingIsShownAsZero) {
  EXPECT_EQ(SecondsText({}), "0");
  EXPECT_EQ(SecondsText(Milliseconds(1)), "<0.01");
  EXPECT_EQ(SecondsText(Milliseconds(1300)), "1.30");
  EXPECT_EQ(SecondsText(Milliseconds(12340)), "12.3");
  EXPECT_EQ(SecondsText(Seconds(12345)), "12,345");
}

TEST(NumberText, RoundingNeverAddsADigit) {
  EXPECT_EQ(RateText(9.994), "9.99");
  EXPECT_EQ(RateText(9.996), "10.0");
  EXPECT_EQ(RateText(99.96), "100");
}

TEST(NumberText, ShortTextsHaveAtMostFiveCharacters) {
  EXPECT_EQ(ShortText(9999.4), "9,999");
  EXPECT_EQ(ShortText(9999.6), "10.0k");
  EXPECT_EQ(ShortText(123456), "123k");
  EXPECT_EQ(ShortText(999960), "1.00M");
  EXPECT_EQ(ShortText(45.6e9), "45.6G");
  EXPECT_EQ(ShortText(1.5), "1.50");
}

TEST(NumberText, WhatIsNoNumberIsADash) {
  for (const double value : {kInfinity, -kInfinity, kNan}) {
    EXPECT_EQ(RateText(value), "-");
    EXPECT_EQ(RatioText(value), "-");
    EXPECT_EQ(GibText(value), "-");
  }
}

TEST(NumberText, BytesAreGib) {
  EXPECT_EQ(GibText(1.5 * kGiB), "1.5");
  EXPECT_EQ(GibText(2048.0 * kGiB), "2,048");
}

TEST(NumberText, SpansTakeTheUnitThatFits) {
  EXPECT_EQ(SpanText(Seconds(90)), "90 s");
  EXPECT_EQ(SpanText(Seconds(3600)), "60 min");
  EXPECT_EQ(SpanText(Seconds(12 * 3600)), "12 h");
  EXPECT_EQ(SpanText(Seconds(30 * 86400)), "30 d");
}

}  // namespace
}  // namespace ballast::sim
