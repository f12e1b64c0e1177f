#include "common/kernel/lru_gen_parser.h"

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::HasSubstr;

constexpr ColdRule kRule{.unused = Seconds(120), .last_walk = Seconds(600)};

// Walks 400, 300, 150 and 20 s ago.
constexpr std::string_view kWalked =
    "memcg     1 /\n node     0\n"
    "          3     400000        100         200 \n"
    "          4     300000         30          40 \n"
    "          5     150000          5           6 \n"
    "          6      20000          7           8 \n";

TEST(LruGenParser, SumsUpRecordedKernelsInWhichNothingHasAged) {
  for (const auto& [name, pages] : {std::pair{"lru_gen-6.1", 52273}, std::pair{"lru_gen-6.12", 52140}}) {
    const auto sums = ParseLruGen(Fixture(name), kRule);
    ASSERT_TRUE(sums.ok()) << name << ": " << sums.status();
    EXPECT_EQ(*sums, (LruGenerations{.pages = pages})) << name;
  }
}

TEST(LruGenParser, CallsColdWhatWasNotUsedBetweenTheNextBirthAndTheLastWalk) {
  const auto sums = ParseLruGen(kWalked, kRule);
  ASSERT_TRUE(sums.ok()) << sums.status();
  // Generation 3: unused from 300 s to 20 s ago. Generation 4: from 150 s to 20 s ago. Generation 5: nothing
  // proven.
  EXPECT_EQ(*sums, (LruGenerations{
                       .pages = 396, .judged_pages = 396, .cold_anon_pages = 130, .cold_file_pages = 240}));
  EXPECT_EQ(ParseLruGen(kWalked, {.unused = Seconds(131), .last_walk = Seconds(60)})->cold_file_pages, 200);
}

TEST(LruGenParser, BelievesNoOldWalk) {
  const auto sums = ParseLruGen(kWalked, {.unused = Seconds(120), .last_walk = Seconds(19)});
  ASSERT_TRUE(sums.ok()) << sums.status();
  EXPECT_EQ(*sums, (LruGenerations{.pages = 396}));
}

TEST(LruGenParser, JudgesEachCgroupAndNodeByItsOwnWalks) {
  const auto sums = ParseLruGen(StrCat(kWalked, " node     1\n  0 900000 1 2\n  1 900000 3 4\n",
                                       "memcg 2 /a b\n node 0\n", "  0 500000 10 20\n  1 10000 30 40\n"),
                                kRule);
  ASSERT_TRUE(sums.ok()) << sums.status();
  EXPECT_EQ(sums->pages, 396 + 10 + 100);
  EXPECT_EQ(sums->judged_pages, 396) << "in /a the next birth is the last walk";
}

TEST(LruGenParser, NamesTheLineAndTheColumnThatIsWrong) {
  struct Case {
    std::string text;
    const char* complaint;
  };
  const std::string head = "memcg 1 /\n node 0\n";
  std::string many = head;
  for (int i = 0; i < 17; ++i) many += "1 1 1 1\n";
  const Case cases[] = {
      {"", "no node in the text"},
      {"memcg 1 /\n", "no node in the text"},
      {"1 2 3 4\n", "line 1: no node precedes it"},
      {head + "1 2 3 4\nmemcg 2 /a\n1 2 3 4\n", "line 5: no node precedes it"},
      {head + "1 2 3\n", "line 3: file"},
      {head + "1 2 x 4\n", "line 3: anon"},
      {head + "1 -2 3 4\n", "line 3: age"},
      {head + "1 2 3 4r\n", "line 3: file"},
      {head + "1 9223372036854775807 3 4\n", "line 3: age"},
      {head + "1 2 70368744177665 4\n", "line 3: anon"},
      {many, "line 19: more than 16 generations"},
  };
  for (const Case& c : cases) {
    const auto sums = ParseLruGen(c.text, kRule);
    ASSERT_FALSE(sums.ok()) << c.text;
    EXPECT_THAT(MessageOf(sums.status()), HasSubstr(c.complaint)) << c.text;
  }
}

}  // namespace
}  // namespace ballast::kernel
