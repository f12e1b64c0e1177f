#include "common/base/fixed_text.h"

#include <gtest/gtest.h>

#include <string_view>

namespace ballast {
namespace {

using Text = FixedText<4>;

TEST(FixedText, HoldsWhatFits) {
  Text text(std::string_view("ab"));
  EXPECT_EQ(text.View(), "ab");
  text.Append("cdef");
  EXPECT_EQ(text.View(), "abcd");
  text.Append("x");
  EXPECT_EQ(text.View(), "abcd");
  text.Clear();
  EXPECT_TRUE(text.IsEmpty());
}

TEST(FixedText, EqualsByWhatItHoldsNow) {
  Text longer(std::string_view("abcd"));
  longer.Clear();
  longer.Append("x");
  EXPECT_EQ(longer, Text(std::string_view("x")));
  EXPECT_FALSE(longer == Text(std::string_view("y")));
}

TEST(CleanFixedText, CutsWhatIsTooLongAndCleansWhatIsNoText) {
  EXPECT_EQ(CleanFixedText<8>("/a.slice").View(), "/a.slice");
  EXPECT_EQ(CleanFixedText<4>("/a.slice").View(), "/a.s");
  EXPECT_EQ(CleanFixedText<4>("a\x7f\n\xff").View(), "a???");
  EXPECT_EQ(CleanFixedText<8>("").View(), "");
}

}  // namespace
}  // namespace ballast
