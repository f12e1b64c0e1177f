#include "guest-agent/sensors/zram_reader.h"

#include <gtest/gtest.h>

#include "common/base/units.h"
#include "tests/common/kernel/fixture.h"
#include "tests/guest-agent/sensors/file_tree.h"

namespace ballast::agent {
namespace {

constexpr int64_t kPage = 4 * kKiB;
constexpr MonotonicTime kNow{1'000'000'000'000};

class ZramReaderTest : public ::testing::Test {
 protected:
  // A device with the files of a recorded one.
  void Add(int number, std::string_view kernel, bool writeback) const {
    const std::string directory = StrCat("/sys/block/zram", number);
    tree_.Put(StrCat(directory, "/disksize"), "419430400\n");
    tree_.Put(StrCat(directory, "/mm_stat"), kernel::Fixture(StrCat("mm_stat-", kernel)));
    tree_.Put(StrCat(directory, "/io_stat"), "       1        7 0        0\n");
    tree_.Put(StrCat(directory, "/comp_algorithm"), kernel::Fixture(StrCat("comp_algorithm-", kernel)));
    if (writeback) tree_.Put(StrCat(directory, "/bd_stat"), "      25        1       30\n");
  }
  ZramReadings Read(Nanos later = Nanos{0}) {
    ZramReadings readings;
    reader_.Read(kNow + later, readings);
    return readings;
  }

  FileTree tree_;
  ZramReader reader_{tree_.Files(), kPage};
};

TEST_F(ZramReaderTest, ReadsADevice) {
  Add(0, "6.1", true);
  reader_.Rescan();
  const ZramReadings readings = Read();
  ASSERT_EQ(readings.size(), 1u);
  EXPECT_EQ(readings[0].name.View(), "zram0");
  EXPECT_EQ(readings[0].algorithm.View(), "lz4");
  EXPECT_EQ(readings[0].disksize_bytes, 400 * kMiB);
  EXPECT_EQ(readings[0].memory.original_bytes, 59674624);
  EXPECT_EQ(readings[0].io.failed_writes, 7);
  EXPECT_EQ(readings[0].written_back_pages, 25);
  EXPECT_EQ(readings[0].outlook.fill_permyriad, 1422);
}

TEST_F(ZramReaderTest, MakesDoWithoutWriteback) {
  Add(3, "6.12", false);
  reader_.Rescan();
  const ZramReadings readings = Read();
  ASSERT_EQ(readings.size(), 1u);
  EXPECT_EQ(readings[0].name.View(), "zram3");
  EXPECT_EQ(readings[0].written_back_pages, std::nullopt);
}

TEST_F(ZramReaderTest, ADeviceWithoutASizeIsNone) {
  Add(0, "6.1", false);
  tree_.Put("/sys/block/zram0/disksize", "0\n");
  reader_.Rescan();
  EXPECT_EQ(reader_.DeviceCount(), 1u);
  EXPECT_TRUE(Read().empty());
  tree_.Put("/sys/block/zram0/disksize", "1048576\n");
  tree_.Put("/sys/block/zram0/comp_algorithm", "lz4 [zstd]\n");
  ASSERT_EQ(Read().size(), 1u);
  EXPECT_EQ(Read()[0].algorithm.View(), "") << "that of the last search may be wrong";
  reader_.Rescan();
  EXPECT_EQ(Read()[0].algorithm.View(), "zstd");
}

TEST_F(ZramReaderTest, NoticesDevicesThatComeAndGo) {
  reader_.Rescan();
  EXPECT_TRUE(Read().empty()) << "not even /sys/block";
  Add(1, "6.1", false);
  tree_.Put("/sys/block/vda/size", "1\n");
  tree_.Put("/sys/block/zramx/disksize", "1\n");
  tree_.Put("/sys/block/zram-1/disksize", "1\n");
  EXPECT_TRUE(Read().empty()) << "until the next search";
  reader_.Rescan();
  EXPECT_EQ(Read().size(), 1u);
  Add(0, "6.12", false);
  reader_.Rescan();
  ASSERT_EQ(Read().size(), 2u);
  EXPECT_EQ(Read()[0].name.View(), "zram0");
  tree_.Remove("/sys/block/zram0");
  tree_.Remove("/sys/block/zram1");
  reader_.Rescan();
  EXPECT_TRUE(Read().empty());
}

TEST_F(ZramReaderTest, TakesEightDevicesAtMost) {
  for (int number = 20; number > 0; --number) Add(number, "6.1", true);
  const ptrdiff_t before = OpenDescriptors();
  reader_.Rescan();
  EXPECT_EQ(OpenDescriptors() - before, 8 * 4);
  const ZramReadings readings = Read();
  ASSERT_EQ(readings.size(), 8u);
  EXPECT_EQ(readings[7].name.View(), "zram8");
  reader_.Rescan();
  EXPECT_EQ(OpenDescriptors() - before, 8 * 4) << "those that stay are not opened again";
}

TEST_F(ZramReaderTest, KeepsItsMemoryOfADeviceOverASearchUntilItIsMadeAnew) {
  Add(0, "6.1", false);
  reader_.Rescan();
  (void)Read();
  reader_.Rescan();
  tree_.Put("/sys/block/zram0/mm_stat", "119674624 20392718 22142976 0 22142976 0 0 16 16\n");
  EXPECT_TRUE(Read(Seconds(2))[0].outlook.time_to_full.has_value());
  tree_.Put("/sys/block/zram0/disksize", "1048576\n");
  EXPECT_FALSE(Read(Seconds(4))[0].outlook.time_to_full.has_value());
}

TEST_F(ZramReaderTest, ADeviceThatTalksNonsenseIsLeftOut) {
  Add(0, "6.1", true);
  Add(1, "6.12", true);
  reader_.Rescan();
  tree_.Put("/sys/block/zram0/mm_stat", "1 2 three\n");
  tree_.Put("/sys/block/zram1/io_stat", "nonsense\n");
  tree_.Put("/sys/block/zram1/bd_stat", "nonsense\n");
  const ZramReadings readings = Read();
  ASSERT_EQ(readings.size(), 1u);
  EXPECT_EQ(readings[0].name.View(), "zram1");
  EXPECT_EQ(readings[0].io, kernel::ZramIo{});
  EXPECT_EQ(readings[0].written_back_pages, std::nullopt);
}

}  // namespace
}  // namespace ballast::agent
