#include "common/base/clean_text.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace ballast {
namespace {

std::string Clean(std::string_view text, size_t room = 64) {
  std::string out(room, '#');
  out.resize(CleanText(text, out));
  return out;
}

TEST(CleanText, WhatIsValidStays) {
  EXPECT_EQ(Clean("postgres: writer"), "postgres: writer");
  EXPECT_EQ(Clean("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xb3"),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xb3");
}

TEST(CleanText, WhatIsNotBecomesAQuestionMark) {
  EXPECT_EQ(Clean("a\x01\n\x7f"
                  "b"),
            "a???b");
  EXPECT_EQ(Clean("\xc2\x85x"), "??x");  // a control character in two bytes
  EXPECT_EQ(Clean("\xff\xfe"), "??");
  EXPECT_EQ(Clean("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(Clean("\xe0\x80\xaf"), "???");       // overlong
  EXPECT_EQ(Clean("\xed\xa0\x80"), "???");       // surrogate
  EXPECT_EQ(Clean("\xf4\x90\x80\x80"), "????");  // beyond Unicode
  EXPECT_EQ(Clean("\xe2\x82"), "??");            // cut
  EXPECT_EQ(Clean("\x80x"), "?x");
}

TEST(CleanText, NeverHalfACharacter) {
  EXPECT_EQ(Clean("ab\xe2\x82\xac", 4), "ab");
  EXPECT_EQ(Clean("abc", 2), "ab");
  EXPECT_EQ(Clean("abc", 0), "");
}

}  // namespace
}  // namespace ballast
