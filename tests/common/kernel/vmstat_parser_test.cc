#include "common/kernel/vmstat_parser.h"

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::HasSubstr;

TEST(VmstatParser, SeesTheKillAndTheStallsAfterAnOom) {
  const auto stat = ParseVmstat(Fixture("vmstat-6.1-after-oom"));
  ASSERT_TRUE(stat.ok()) << stat.status();
  EXPECT_EQ(stat->oom_kills, 1);
  EXPECT_EQ(stat->alloc_stalls, 18);
  EXPECT_EQ(stat->balloon_inflate_pages, 0);
}

TEST(VmstatParser, FindsEveryCounterInEveryRecordedKernel) {
  for (const char* name : {"vmstat-6.1", "vmstat-6.12", "vmstat-6.18"}) {
    const auto stat = ParseVmstat(Fixture(name));
    ASSERT_TRUE(stat.ok()) << name << ": " << stat.status();
    for (const auto& field :
         {stat->oom_kills, stat->balloon_inflate_pages, stat->balloon_deflate_pages, stat->swap_in_pages,
          stat->swap_out_pages, stat->major_faults, stat->refault_anon_pages, stat->refault_file_pages,
          stat->scan_kswapd_pages, stat->scan_direct_pages, stat->steal_kswapd_pages,
          stat->steal_direct_pages, stat->alloc_stalls}) {
      EXPECT_TRUE(field.has_value()) << name;
    }
  }
  EXPECT_EQ(ParseVmstat(Fixture("vmstat-6.18"))->refault_file_pages, 3743348);
}

TEST(VmstatParser, AddsUpTheZonesStalls) {
  const auto stat = ParseVmstat("allocstall_dma32 3\nallocstall_normal 4\nallocstall_movable 5\n");
  ASSERT_TRUE(stat.ok()) << stat.status();
  EXPECT_EQ(stat->alloc_stalls, 12);
}

TEST(VmstatParser, LeavesAbsentWhatAKernelDoesNotCount) {
  const auto stat = ParseVmstat("nr_free_pages 1\noom_kill 2\n");
  ASSERT_TRUE(stat.ok()) << stat.status();
  EXPECT_EQ(stat->oom_kills, 2);
  EXPECT_FALSE(stat->balloon_inflate_pages.has_value());
  EXPECT_FALSE(stat->alloc_stalls.has_value());
}

TEST(VmstatParser, DoesNotTakeALongerNameForAShorterOne) {
  const auto stat = ParseVmstat("pgscan_direct_throttle 9\noom_killer 3\n");
  ASSERT_TRUE(stat.ok()) << stat.status();
  EXPECT_FALSE(stat->scan_direct_pages.has_value());
  EXPECT_FALSE(stat->oom_kills.has_value());
}

TEST(VmstatParser, NamesTheCounterThatIsWrong) {
  struct Case {
    const char* text;
    const char* complaint;
  };
  const Case cases[] = {
      {"", "no counter"},
      {"garbage", "no counter"},
      {"oom_kill x\n", "oom_kill"},
      {"oom_kill -1\n", "oom_kill"},
      {"oom_kill 1 2\n", "oom_kill"},
      {"pswpin 18446744073709551615\n", "pswpin"},
      {"allocstall_a 4611686018427387904\nallocstall_b 1\n", "allocstall_b"},
  };
  for (const Case& c : cases) {
    const auto stat = ParseVmstat(c.text);
    ASSERT_FALSE(stat.ok()) << c.text;
    EXPECT_THAT(MessageOf(stat.status()), HasSubstr(c.complaint)) << c.text;
  }
}

}  // namespace
}  // namespace ballast::kernel
