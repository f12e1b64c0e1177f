#include "host-bridge/observe/host_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "common/base/text.h"
#include "common/base/units.h"

namespace ballast::observe {
namespace {

using ::testing::HasSubstr;

class HandClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime Now() const override { return now; }
  MonotonicTime now{Seconds(1000).count};
};

constexpr std::string_view kMeminfo =
    "MemTotal:        8388608 kB\nMemFree:         1048576 kB\nMemAvailable:    2097152 kB\n";

// A /proc of two files, rewritten in place so that the reader's descriptors see it.
class HostReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(::testing::TempDir()) / StrCat("ballast_host_", test->name());
    std::filesystem::remove_all(root_);
    Write("proc/meminfo", kMeminfo);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& name, std::string_view text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::trunc) << text;
  }

  void WritePsi(int64_t some_us, int64_t full_us) {
    Write("proc/pressure/memory", StrCat("some avg10=1.50 avg60=0.00 avg300=0.00 total=", some_us,
                                         "\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=", full_us, "\n"));
  }

  absl::StatusOr<HostReader> Open() { return HostReader::Create(FileReader(root_.string()), clock_); }

  std::filesystem::path root_;
  HandClock clock_;
};

TEST_F(HostReaderTest, ReadsMemoryAndStallsSinceTheLastRead) {
  WritePsi(1'000'000, 500'000);
  auto reader = Open();
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_TRUE(reader->PsiStatus().ok());

  auto first = reader->Read();
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->at, clock_.now);
  EXPECT_EQ(first->value.total_bytes, 8 * kGiB);
  EXPECT_EQ(first->value.available_bytes, 2 * kGiB);
  EXPECT_EQ(first->value.some_permyriad, 150);  // nothing to compare with: the kernel's own average
  EXPECT_EQ(first->value.full_permyriad, 25);

  clock_.now = clock_.now + Seconds(2);
  WritePsi(1'300'000, 600'000);  // 300 ms and 100 ms of 2 s
  const auto second = reader->Read();
  EXPECT_EQ(second->value.some_permyriad, 1500);
  EXPECT_EQ(second->value.full_permyriad, 500);

  clock_.now = clock_.now + Seconds(1);
  EXPECT_EQ(reader->Read()->value.some_permyriad, 0);
}

TEST_F(HostReaderTest, TooShortAWindowKeepsTheLastShares) {
  WritePsi(0, 0);
  auto reader = Open();
  (void)reader->Read();
  clock_.now = clock_.now + Seconds(1);
  WritePsi(200'000, 0);
  EXPECT_EQ(reader->Read()->value.some_permyriad, 2000);

  clock_.now = clock_.now + Milliseconds(5);
  WritePsi(204'000, 0);
  EXPECT_EQ(reader->Read()->value.some_permyriad, 2000);
  clock_.now = clock_.now + Milliseconds(195);
  EXPECT_EQ(reader->Read()->value.some_permyriad, 200) << "4 ms of the 200 ms since the last full window";
}

TEST_F(HostReaderTest, SharesStayWithinTheirRange) {
  WritePsi(5'000'000, 5'000'000);
  auto reader = Open();
  (void)reader->Read();
  clock_.now = clock_.now + Seconds(1);
  WritePsi(9'000'000, 0);  // more than the time that passed; and a total that went backwards
  const auto reading = reader->Read();
  EXPECT_EQ(reading->value.some_permyriad, 10'000);
  EXPECT_EQ(reading->value.full_permyriad, 0);
}

TEST_F(HostReaderTest, WorksWithoutPsiAndSaysWhy) {
  auto reader = Open();
  ASSERT_TRUE(reader.ok());
  EXPECT_THAT(MessageOf(reader->PsiStatus()), HasSubstr("proc/pressure/memory"));
  const auto reading = reader->Read();
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(reading->value.available_bytes, 2 * kGiB);
  EXPECT_EQ(reading->value.some_permyriad, 0);
}

TEST_F(HostReaderTest, SurvivesPsiThatTurnsToNonsense) {
  WritePsi(0, 0);
  auto reader = Open();
  Write("proc/pressure/memory", "some total=many\n");
  const auto reading = reader->Read();
  ASSERT_TRUE(reading.ok());
  EXPECT_EQ(reading->value.some_permyriad, 0);
  EXPECT_FALSE(reader->PsiStatus().ok());
  WritePsi(0, 0);
  EXPECT_EQ(reader->Read()->value.some_permyriad, 150);
  EXPECT_TRUE(reader->PsiStatus().ok());
}

TEST_F(HostReaderTest, NeedsMeminfo) {
  std::filesystem::remove(root_ / "proc/meminfo");
  EXPECT_THAT(MessageOf(Open().status()), HasSubstr("proc/meminfo"));
}

TEST_F(HostReaderTest, ABrokenMeminfoIsAnErrorNotAZero) {
  auto reader = Open();
  Write("proc/meminfo", "MemTotal: 10 kB\n");
  EXPECT_FALSE(reader->Read().ok());
}

}  // namespace
}  // namespace ballast::observe
