#include "common/kernel/zram_parser.h"

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::HasSubstr;

TEST(ZramParser, ReadsTheMemoryOfEachRecordedDevice) {
  const auto part_random = ParseZramMemory(Fixture("mm_stat-6.1"));
  ASSERT_TRUE(part_random.ok()) << part_random.status();
  EXPECT_EQ(*part_random, (ZramMemory{.original_bytes = 59674624,
                                      .compressed_bytes = 20392718,
                                      .memory_used_bytes = 22142976,
                                      .memory_limit_bytes = 0,
                                      .same_pages = 0,
                                      .incompressible_pages = 16}));
  EXPECT_EQ(ParseZramMemory(Fixture("mm_stat-same-filled-6.1"))->same_pages, 60710);
  EXPECT_EQ(ParseZramMemory(Fixture("mm_stat-incompressible-6.12"))->incompressible_pages, 52);
  EXPECT_EQ(*ParseZramMemory(Fixture("mm_stat-6.18")), ZramMemory{});
}

TEST(ZramParser, ReadsSevenEightAndMoreColumns) {
  const auto seven = ParseZramMemory("4096 73 12288 100 12288 5 6\n");
  ASSERT_TRUE(seven.ok()) << seven.status();
  EXPECT_EQ(seven->memory_limit_bytes, 100);
  EXPECT_EQ(seven->same_pages, 5);
  EXPECT_EQ(seven->incompressible_pages, 0);
  EXPECT_EQ(ParseZramMemory("1 2 3 4 5 6 7 8")->incompressible_pages, 8);
  EXPECT_EQ(ParseZramMemory("1 2 3 4 5 6 7 8 9 10 11 12\n")->incompressible_pages, 8);
}

TEST(ZramParser, ReadsTheOtherFilesOfARecordedDevice) {
  for (const char* kernel : {"6.1", "6.12", "6.18"}) {
    EXPECT_EQ(*ParseZramIo(Fixture(StrCat("io_stat-", kernel))), ZramIo{}) << kernel;
  }
  EXPECT_EQ(*ParseZramIo("       3      280081 0        0\n"),
            (ZramIo{.failed_reads = 3, .failed_writes = 280081}));
  EXPECT_EQ(*ParseZramWrittenBack(Fixture("bd_stat-6.1")), 0);
  EXPECT_EQ(*ParseZramWrittenBack("      25        1       30\n"), 25 * 4096);
  const std::string algorithms = Fixture("comp_algorithm-6.1");
  EXPECT_EQ(*ParseZramAlgorithm(algorithms), "lz4");
  const std::string newer = Fixture("comp_algorithm-6.12");
  EXPECT_EQ(*ParseZramAlgorithm(newer), "lz4");
}

TEST(ZramParser, NamesTheColumnThatIsWrong) {
  struct Case {
    absl::Status status;
    const char* complaint;
  };
  const Case cases[] = {
      {ParseZramMemory("").status(), "mm_stat: column 1 (orig_data_size)"},
      {ParseZramMemory("1 2 3 4 5 6\n").status(), "mm_stat: column 7 (pages_compacted)"},
      {ParseZramMemory("1 2 -3 4 5 6 7\n").status(), "mm_stat: column 3 (mem_used_total)"},
      {ParseZramMemory("1 2 3 4 5 6 7 8x\n").status(), "mm_stat: column 8 (huge_pages)"},
      {ParseZramMemory("18446744073709551615 2 3 4 5 6 7\n").status(), "mm_stat: column 1"},
      {ParseZramIo("1").status(), "io_stat: column 2 (failed_writes)"},
      {ParseZramWrittenBack("\n").status(), "bd_stat: column 1 (bd_count)"},
      {ParseZramWrittenBack("4611686018427387904 0 0").status(), "bd_stat: bd_count is above"},
      {ParseZramAlgorithm("lz4 zstd\n").status(), "comp_algorithm: no name"},
      {ParseZramAlgorithm("lz4 ]zstd[\n").status(), "comp_algorithm: no name"},
      {ParseZramAlgorithm("lz4 [] zstd\n").status(), "comp_algorithm: no name"},
  };
  for (const Case& c : cases) {
    ASSERT_FALSE(c.status.ok()) << c.complaint;
    EXPECT_THAT(MessageOf(c.status), HasSubstr(c.complaint));
  }
}

}  // namespace
}  // namespace ballast::kernel
