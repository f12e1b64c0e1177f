// Descriptors, files below a root, and sockets: the edges that everything else stands on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "common/base/text.h"
#include "common/os/file_reader.h"
#include "common/os/pinned_file.h"
#include "common/transport/socket.h"

namespace ballast {
namespace {

using ::testing::HasSubstr;

class TreeTest : public ::testing::Test {
 protected:
  TreeTest() { std::filesystem::create_directories(root_ + "/proc"); }
  ~TreeTest() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) const {
    std::ofstream(root_ + path, std::ios::trunc) << text;
  }
  const std::string root_ =
      StrCat(std::filesystem::temp_directory_path().string(), "/ballast-os-", ::getpid());
};

TEST_F(TreeTest, FilesAreReadBelowTheRoot) {
  Write("/proc/meminfo", "MemTotal: 1 kB\n");
  EXPECT_EQ(*FileReader(root_).Read("/proc/meminfo"), "MemTotal: 1 kB\n");
  EXPECT_EQ(*FileReader(root_ + "/").Read("proc/meminfo"), "MemTotal: 1 kB\n");
}

TEST_F(TreeTest, AMissingFileIsNamed) {
  const auto text = FileReader(root_).Read("/proc/pressure/memory");
  EXPECT_TRUE(absl::IsNotFound(text.status()));
  EXPECT_THAT(MessageOf(text.status()), HasSubstr(root_ + "/proc/pressure/memory"));
}

TEST_F(TreeTest, AFileThatIsTooLargeIsRefused) {
  Write("/proc/huge", std::string(5000, 'x'));
  EXPECT_TRUE(absl::IsOutOfRange(FileReader(root_).Read("/proc/huge", 4096).status()));
}

TEST_F(TreeTest, APinnedFileSeesEachChange) {
  Write("/proc/meminfo", "one");
  auto file = PinnedFile::Open(FileReader(root_), "/proc/meminfo", 64);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file->Read(), "one");
  Write("/proc/meminfo", "three");
  EXPECT_EQ(*file->Read(), "three");
  Write("/proc/meminfo", std::string(64, 'x'));
  EXPECT_TRUE(absl::IsOutOfRange(file->Read().status()));
}

// 1 or 0: whether the page of this byte is in memory.
int IsIn(const char* byte) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  unsigned char in = 0;
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  void* const begin = reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(byte) & ~(page - 1));
  return ::mincore(begin, page, &in) == 0 ? in & 1 : -1;
}

TEST_F(TreeTest, APinnedFileTakesNoMemoryForWhatItMayNeverHold) {
  Write("/proc/meminfo", "one");
  // So much that it is mapped by itself, from fresh pages.
  auto file = PinnedFile::Open(FileReader(root_), "/proc/meminfo", size_t{1} << 20);
  ASSERT_TRUE(file.ok()) << file.status();
  const char* const buffer = file->Read()->data();
  EXPECT_EQ(IsIn(buffer + 12 * 1024), 1);
  EXPECT_EQ(IsIn(buffer + 64 * 1024), 0);
}

TEST_F(TreeTest, AStaleSocketIsReplacedALiveOneIsNot) {
  const std::string path = root_ + "/agent.sock";
  {
    const auto first = ListenUnix(path, 0600, 4);
    ASSERT_TRUE(first.ok()) << first.status();
  }
  const auto second = ListenUnix(path, 0600, 4);
  ASSERT_TRUE(second.ok()) << second.status();
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_TRUE(absl::IsAlreadyExists(ListenUnix(path, 0600, 4).status()));
}

TEST_F(TreeTest, AFileInTheSocketsPlaceIsLeftAlone) {
  Write("/agent.sock", "precious");
  EXPECT_TRUE(absl::IsFailedPrecondition(ListenUnix(root_ + "/agent.sock", 0600, 4).status()));
  EXPECT_EQ(*FileReader(root_).Read("/agent.sock"), "precious");
}

}  // namespace
}  // namespace ballast
