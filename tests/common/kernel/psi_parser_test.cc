#include "common/kernel/psi_parser.h"

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::HasSubstr;

TEST(PsiParser, ReadsBothLines) {
  const auto psi = ParsePsi(Fixture("pressure-memory-after-oom"));
  ASSERT_TRUE(psi.ok()) << psi.status();
  EXPECT_EQ(psi->some.total_us, 5960);
  ASSERT_TRUE(psi->full.has_value());
  EXPECT_EQ(psi->full->total_us, 5527);
}

TEST(PsiParser, ReadsEveryRecordedKernel) {
  for (const char* name : {"pressure-memory-6.1", "pressure-memory-6.12", "pressure-memory-6.18"}) {
    EXPECT_TRUE(ParsePsi(Fixture(name)).ok()) << name;
  }
}

TEST(PsiParser, TurnsPercentIntoPermyriad) {
  const auto psi = ParsePsi("some avg10=42.65 avg60=0.07 avg300=100.00 total=7\n");
  ASSERT_TRUE(psi.ok()) << psi.status();
  EXPECT_EQ(psi->some.avg10_permyriad, 4265);
  EXPECT_EQ(psi->some.avg60_permyriad, 7);
  EXPECT_EQ(psi->some.avg300_permyriad, 10'000);
  EXPECT_FALSE(psi->full.has_value());
}

TEST(PsiParser, PassesOverWhatItDoesNotKnow) {
  const auto psi = ParsePsi("most avg10=x\nsome avg10=0.00 avg5=junk new total=1\n");
  ASSERT_TRUE(psi.ok()) << psi.status();
  EXPECT_EQ(psi->some.total_us, 1);
}

TEST(PsiParser, NamesTheLineAndKeyThatIsWrong) {
  struct Case {
    const char* text;
    const char* complaint;
  };
  const Case cases[] = {
      {"", "'some' is missing"},
      {"full avg10=0.00 total=1\n", "'some' is missing"},
      {"some avg10=0.00\n", "some total is missing"},
      {"some total=5\n", "some avg10 is missing"},
      {"some avg10=0.0 total=5\n", "some avg10 is not a percentage"},
      {"some avg10=0.-1 total=5\n", "some avg10 is not a percentage"},
      {"some avg10=100.01 total=5\n", "some avg10 is not a percentage"},
      {"some avg10=1e309 total=5\n", "some avg10 is not a percentage"},
      {"some avg10=0.00 total=-5\n", "some total is not a whole number"},
      {"some avg10=0.00 total=18446744073709551615\n", "some total is not a whole number"},
      {"some avg10=0.00 total=5\nfull avg10=0.00 total=x\n", "full total is not a whole number"},
  };
  for (const Case& c : cases) {
    const auto psi = ParsePsi(c.text);
    ASSERT_FALSE(psi.ok()) << c.text;
    EXPECT_THAT(MessageOf(psi.status()), HasSubstr(c.complaint)) << c.text;
  }
}

}  // namespace
}  // namespace ballast::kernel
