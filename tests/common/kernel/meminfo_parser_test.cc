#include "common/kernel/meminfo_parser.h"

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kLeast = "MemTotal: 1000 kB\nMemFree: 300 kB\nMemAvailable: 400 kB\n";

TEST(MeminfoParser, ReadsWhatKernel61Prints) {
  const auto info = ParseMeminfo(Fixture("meminfo-6.1"));
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(*info, (Meminfo{.total_bytes = 413740 * kKiB,
                            .free_bytes = 384168 * kKiB,
                            .available_bytes = 384848 * kKiB,
                            .cached_bytes = 4056 * kKiB,
                            .anon_bytes = 156 * kKiB,
                            .shmem_bytes = 4056 * kKiB,
                            .dirty_bytes = 0,
                            .slab_reclaimable_bytes = 9160 * kKiB,
                            .slab_unreclaimable_bytes = 6812 * kKiB,
                            .swap_total_bytes = 0,
                            .swap_free_bytes = 0,
                            .commit_limit_bytes = 206868 * kKiB,
                            .committed_bytes = 4780 * kKiB,
                            .active_file_bytes = 0,
                            .inactive_file_bytes = 0,
                            .mapped_bytes = 1716 * kKiB,
                            .writeback_bytes = 0,
                            .zswap_pool_bytes = std::nullopt,
                            .zswap_stored_bytes = std::nullopt}));
}

TEST(MeminfoParser, ReadsZswapWhereItIsBuiltIn) {
  const auto with = ParseMeminfo(Fixture("meminfo-6.18"));
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_EQ(with->zswap_pool_bytes, 0);
  EXPECT_EQ(with->zswap_stored_bytes, 0);
  const auto some = ParseMeminfo(StrCat(kLeast, "Zswap: 7 kB\nZswapped: 21 kB\n"));
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_EQ(some->zswap_pool_bytes, 7 * kKiB);
  EXPECT_EQ(some->zswap_stored_bytes, 21 * kKiB);
}

TEST(MeminfoParser, ReadsNewerKernelsWithTheirOtherLines) {
  for (const char* name : {"meminfo-6.12", "meminfo-6.18"}) {
    const auto info = ParseMeminfo(Fixture(name));
    ASSERT_TRUE(info.ok()) << name << ": " << info.status();
    EXPECT_TRUE(info->committed_bytes.has_value()) << name;
  }
}

TEST(MeminfoParser, LeavesAbsentWhatAKernelDoesNotPrint) {
  const auto info = ParseMeminfo(kLeast);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->available_bytes, 400 * kKiB);
  EXPECT_FALSE(info->swap_total_bytes.has_value());
  EXPECT_FALSE(info->shmem_bytes.has_value());
}

TEST(MeminfoParser, TakesNothingAvailableAsAFact) {
  const auto info = ParseMeminfo("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 0 kB");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->available_bytes, 0);
}

TEST(MeminfoParser, NamesTheFieldThatIsWrong) {
  struct Case {
    const char* text;
    const char* complaint;
  };
  const Case cases[] = {
      {"", "MemTotal is missing"},
      {"MemTotal: 1000 kB\nMemAvailable: 4 kB\n", "MemFree is missing"},
      {"MemTotal: 1000 kB\nMemFree: 4 kB\n", "MemAvailable is missing"},
      {"MemTotal: 0 kB\nMemFree: 0 kB\nMemAvailable: 0 kB\n", "MemTotal is zero"},
      {"MemTotal: 10 kB\nMemFree: 11 kB\nMemAvailable: 0 kB\n", "MemFree is larger"},
      {"MemTotal: 10 kB\nMemFree: 1 kB\nMemAvailable: 11 kB\n", "MemAvailable is larger"},
      {"MemTotal: ten kB\n", "MemTotal is not a number"},
      {"MemTotal: -5 kB\n", "MemTotal is not a number"},
      {"MemTotal: 5 MB\n", "MemTotal is not a number"},
      {"MemTotal: 5", "MemTotal is not a number"},
      {"MemTotal: 18446744073709551615 kB\n", "MemTotal is not a number"},
      {"MemTotal: 9007199254740992 kB\n", "MemTotal is not a number"},
      {"MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable: 1 kB\nSwapTotal: 1 kB\nSwapFree: 2 kB\n", "SwapFree"},
  };
  for (const Case& c : cases) {
    const auto info = ParseMeminfo(c.text);
    ASSERT_FALSE(info.ok()) << c.text;
    EXPECT_THAT(MessageOf(info.status()), HasSubstr(c.complaint)) << c.text;
  }
}

TEST(MeminfoParser, SurvivesEveryTruncation) {
  const std::string text = Fixture("meminfo-6.12");
  for (size_t size = 0; size <= text.size(); ++size) {
    const auto info = ParseMeminfo(std::string_view(text).substr(0, size));
    if (info.ok()) {
      EXPECT_EQ(info->total_bytes, 408456 * kKiB);
    }
  }
}

}  // namespace
}  // namespace ballast::kernel
