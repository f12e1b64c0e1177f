#include "guest-agent/act/act_text_parser.h"

#include <gtest/gtest.h>

#include "common/base/units.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::agent {
namespace {

using kernel::Fixture;

TEST(StolenPages, CountsWhatMemoryReclaimTookWhichNoReclaimersCounterShows) {
  EXPECT_EQ(*ParseStolenPages(Fixture("vmstat-6.1-after-reclaim")), 52297 + 1);
  EXPECT_EQ(*ParseStolenPages(Fixture("vmstat-6.1")), 0);
}

TEST(StolenPages, TakesWhatThereIs) {
  EXPECT_EQ(*ParseStolenPages(Fixture("memory.stat-6.1-after-reclaim")), 51223) << "a cgroup's";
  EXPECT_EQ(*ParseStolenPages("pgsteal_kswapd 3\npgsteal_direct 4\npgsteal_proactive 5\n"), 12);
  EXPECT_TRUE(absl::IsInvalidArgument(ParseStolenPages("pgscan 9\n").status()));
}

TEST(CacheUse, IsReadFromMeminfo) {
  const auto use =
      ParseCacheUse("Buffers: 4 kB\nCached: 100 kB\nActive(file): 30 kB\nInactive(file): 60 kB\n");
  ASSERT_TRUE(use.ok()) << use.status();
  EXPECT_EQ(*use, (CacheUse{30 * kKiB, 60 * kKiB, 104 * kKiB}));
  EXPECT_TRUE(ParseCacheUse(Fixture("meminfo-6.1")).ok());
  EXPECT_TRUE(ParseCacheUse(Fixture("meminfo-6.18")).ok());
  const auto without = ParseCacheUse("Buffers: 4 kB\nCached: 100 kB\nActive(file): 30 kB\n");
  EXPECT_EQ(without.status().message(), "meminfo: Inactive(file) is missing");
}

}  // namespace
}  // namespace ballast::agent
