// The texts of a cgroup's files: memory.current, memory.max, memory.events.
#include <gmock/gmock.h>

#include "common/base/text.h"
#include "common/kernel/amount_parser.h"
#include "common/kernel/cgroup_events_parser.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::HasSubstr;

TEST(AmountParser, ReadsOneNumber) {
  EXPECT_EQ(*ParseAmount("memory.current", "104857600\n"), 104857600);
  EXPECT_EQ(*ParseAmount("disksize", "0"), 0);
  for (const char* text : {"", "\n", "max\n", "-1\n", "5 6\n", "5\n6\n", " 5\n", "18446744073709551615\n"}) {
    const auto amount = ParseAmount("memory.current", text);
    ASSERT_FALSE(amount.ok()) << text;
    EXPECT_THAT(MessageOf(amount.status()), HasSubstr("memory.current: is not one whole number")) << text;
  }
}

TEST(AmountParser, TellsNoLimitFromALimit) {
  EXPECT_EQ(*ParseLimit("memory.max", "max\n"), std::nullopt);
  EXPECT_EQ(**ParseLimit("memory.max", "4096\n"), 4096);
  EXPECT_THAT(MessageOf(ParseLimit("memory.max", "maximum\n").status()), HasSubstr("memory.max"));
}

TEST(CgroupEventsParser, CountsTheKills) {
  for (const char* kernel : {"6.1", "6.12"}) {
    EXPECT_EQ(*ParseCgroupOomKills(Fixture(StrCat("memory.events-", kernel))), 1) << kernel;
  }
  EXPECT_EQ(*ParseCgroupOomKills("low 0\nhigh 0\nmax 0\noom 3\noom_kill 2"), 2)
      << "5.10 has no oom_group_kill";
}

TEST(CgroupEventsParser, SaysWhatIsWrong) {
  EXPECT_THAT(MessageOf(ParseCgroupOomKills("low 0\noom_group_kill 4\n").status()),
              HasSubstr("oom_kill is missing"));
  for (const char* text : {"oom_kill x\n", "oom_kill \n", "oom_kill -1\n", "oom_kill 1 2\n"}) {
    EXPECT_THAT(MessageOf(ParseCgroupOomKills(text).status()), HasSubstr("oom_kill is not a whole number"))
        << text;
  }
}

}  // namespace
}  // namespace ballast::kernel
