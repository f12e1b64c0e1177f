#include "common/base/maybe.h"

#include <gtest/gtest.h>

#include <limits>

#include "common/base/time.h"

namespace ballast {
namespace {

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();

TEST(Maybe, IsAsSmallAsItsValue) {
  EXPECT_EQ(sizeof(Maybe<int64_t>), sizeof(int64_t));
  EXPECT_EQ(sizeof(Maybe<MonotonicTime>), sizeof(int64_t));
}

TEST(Maybe, IsAbsentUntilItHasAValue) {
  Maybe<int64_t> maybe;
  EXPECT_FALSE(maybe);
  EXPECT_FALSE(maybe.has_value());
  EXPECT_EQ(maybe, std::nullopt);
  EXPECT_EQ(maybe.value_or(7), 7);
  maybe = 5;
  EXPECT_TRUE(maybe);
  EXPECT_EQ(*maybe, 5);
  EXPECT_EQ(maybe.value(), 5);
  EXPECT_EQ(maybe.value_or(7), 5);
  maybe.reset();
  EXPECT_FALSE(maybe);
}

TEST(Maybe, HoldsEveryValueButTheSmallest) {
  for (const int64_t value :
       {kLeast + 1, int64_t{-1}, int64_t{0}, int64_t{1}, std::numeric_limits<int64_t>::max()}) {
    const Maybe<int64_t> maybe = value;
    ASSERT_TRUE(maybe) << value;
    EXPECT_EQ(*maybe, value);
    EXPECT_EQ(*Maybe<MonotonicTime>(MonotonicTime{value}), MonotonicTime{value});
  }
  EXPECT_FALSE(Maybe<int64_t>(kLeast)) << "the one that stands for absence";
}

TEST(Maybe, ComparesAsOptionalDoes) {
  EXPECT_EQ(Maybe<int64_t>(), Maybe<int64_t>());
  EXPECT_EQ(Maybe<int64_t>(3), Maybe<int64_t>(3));
  EXPECT_NE(Maybe<int64_t>(3), Maybe<int64_t>(4));
  EXPECT_NE(Maybe<int64_t>(0), Maybe<int64_t>()) << "zero is a value";
}

}  // namespace
}  // namespace ballast
