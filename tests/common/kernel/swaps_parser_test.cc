#include "common/kernel/swaps_parser.h"

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHeading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

TEST(SwapsParser, ReadsRecordedKernels) {
  const auto swaps = ParseSwaps(Fixture("swaps-6.1"));
  ASSERT_TRUE(swaps.ok()) << swaps.status();
  EXPECT_EQ(*swaps, (Swaps{.zram_total_bytes = 409596 * kKiB, .zram_used_bytes = 58368 * kKiB}));
  EXPECT_EQ(ParseSwaps(Fixture("swaps-6.12"))->zram_used_bytes, 59392 * kKiB);
}

TEST(SwapsParser, SumsUpByKind) {
  const auto swaps =
      ParseSwaps(StrCat(kHeading, "/dev/zram0 partition 100 10 100\n/dev/vda2 partition 1000 200 -2\n",
                        "/swap\\040file file 50 5 -3\n/zram0/swap file 4 0 -4\n/var/zram.swap file 3 1 "
                        "-5\n/dev/zram1 partition 30 3 5\n"));
  ASSERT_TRUE(swaps.ok()) << swaps.status();
  EXPECT_EQ(*swaps, (Swaps{130 * kKiB, 13 * kKiB, 1057 * kKiB, 206 * kKiB}));
}

TEST(SwapsParser, NoSwapIsNoneRatherThanAnError) {
  const auto swaps = ParseSwaps(kHeading);
  ASSERT_TRUE(swaps.ok()) << swaps.status();
  EXPECT_EQ(*swaps, Swaps{});
}

TEST(SwapsParser, NamesTheLineAndTheFieldThatIsWrong) {
  struct Case {
    std::string lines;
    const char* complaint;
  };
  const Case cases[] = {
      {"/dev/vda2\n", "line 2: Type is missing"},
      {"\n", "line 2: Type is missing"},
      {"/dev/a partition 5 1 1\n/dev/vda2 partition\n", "line 3: Size"},
      {"/dev/vda2 partition 5x 1 1\n", "line 2: Size"},
      {"/dev/vda2 partition 5\n", "line 2: Used"},
      {"/dev/vda2 partition 5 -1 1\n", "line 2: Used"},
      {"/dev/vda2 partition 5 6 1\n", "line 2: Used is larger than Size"},
      {"/dev/vda2 partition 18446744073709551615 6 1\n", "line 2: Size"},
      {"/dev/vda2 partition 4503599627370496 0 1\n/dev/vda3 partition 4503599627370496 0 1\n",
       "line 3: Size is above"},
  };
  for (const Case& c : cases) {
    const auto swaps = ParseSwaps(StrCat(kHeading, c.lines));
    ASSERT_FALSE(swaps.ok()) << c.lines;
    EXPECT_THAT(MessageOf(swaps.status()), HasSubstr(c.complaint)) << c.lines;
  }
  EXPECT_THAT(MessageOf(ParseSwaps("").status()), HasSubstr("line 1"));
}

}  // namespace
}  // namespace ballast::kernel
