#include "guest-agent/sensors/cgroup_reader.h"

#include <gmock/gmock.h>

#include <vector>

#include "common/base/units.h"
#include "tests/guest-agent/sensors/file_tree.h"

namespace ballast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CgroupReaderTest : public ::testing::Test {
 protected:
  CgroupReaderTest() {
    tree_.Put("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
    tree_.Put("/sys/fs/cgroup/cgroup.subtree_control", "memory pids\n");
  }

  void Add(std::string_view path, int64_t bytes, std::string_view limit = "max",
           std::string_view shared = "") const {
    const std::string directory = StrCat("/sys/fs/cgroup", path);
    tree_.Put(StrCat(directory, "/memory.current"), StrCat(bytes, "\n"));
    tree_.Put(StrCat(directory, "/memory.max"), StrCat(limit, "\n"));
    tree_.Put(StrCat(directory, "/memory.swap.current"), "4096\n");
    tree_.Put(StrCat(directory, "/memory.events"),
              "low 0\nhigh 0\nmax 0\noom 0\noom_kill 2\noom_group_kill 0\n");
    tree_.Put(StrCat(directory, "/cgroup.subtree_control"), StrCat(shared, "\n"));
  }

  static void Walk(CgroupReader& reader) {
    while (!reader.Step()) {
    }
  }
  static std::vector<std::string> PathsOf(CgroupReader& reader) {
    CgroupReadings readings;
    reader.Read(readings);
    std::vector<std::string> paths;
    for (const CgroupReading& reading : readings) paths.emplace_back(reading.path.View());
    return paths;
  }

  FileTree tree_;
};

TEST_F(CgroupReaderTest, ReadsServicesRatherThanTheirSlices) {
  Add("/system.slice", 900 * kMiB, "max", "memory");
  Add("/system.slice/db.service", 600 * kMiB, "1073741824");
  Add("/system.slice/web.service", 300 * kMiB);
  Add("/init.scope", 5 * kMiB);
  CgroupReader reader(tree_.Files());
  Walk(reader);
  CgroupReadings readings;
  reader.Read(readings);
  ASSERT_EQ(readings.size(), 3u);
  EXPECT_EQ(readings[0], (CgroupReading{.path = FixedText<256>("/system.slice/db.service"),
                                        .current_bytes = 600 * kMiB,
                                        .limit_bytes = kGiB,
                                        .swap_bytes = 4096,
                                        .oom_kills = 2}));
  EXPECT_EQ(readings[1].path.View(), "/system.slice/web.service");
  EXPECT_EQ(readings[1].limit_bytes, std::nullopt);
  EXPECT_EQ(readings[2].path.View(), "/init.scope");
}

TEST_F(CgroupReaderTest, ASliceWithALimitOfItsOwnCounts) {
  Add("/pods", 50, "100", "cpu memory");
  Add("/pods/a", 30);
  Add("/users", 80, "max", "memory");
  Add("/users/b", 20);
  CgroupReader reader(tree_.Files());
  Walk(reader);
  EXPECT_THAT(PathsOf(reader), ElementsAre("/pods", "/pods/a", "/users/b"));
}

TEST_F(CgroupReaderTest, WhereChildrenAreNotCountedApartTheParentIsTheUser) {
  Add("/user@1000.service", 70, "max", "pids");
  Add("/user@1000.service/app", 0);
  CgroupReader reader(tree_.Files());
  Walk(reader);
  EXPECT_THAT(PathsOf(reader), ElementsAre("/user@1000.service"));
}

TEST_F(CgroupReaderTest, KeepsTheLargestEightAndLooksAtTheNumbersAnew) {
  for (int i = 1; i <= 20; ++i) Add(StrCat("/s", i), i);
  CgroupReader reader(tree_.Files());
  Walk(reader);
  EXPECT_THAT(PathsOf(reader), ElementsAre("/s20", "/s19", "/s18", "/s17", "/s16", "/s15", "/s14", "/s13"));
  tree_.Put("/sys/fs/cgroup/s13/memory.current", "99\n");
  EXPECT_EQ(PathsOf(reader)[0], "/s13");
}

TEST_F(CgroupReaderTest, NoticesWhatCameAndWhatWent) {
  Add("/a", 10);
  Add("/b", 20);
  CgroupReader reader(tree_.Files());
  Walk(reader);
  tree_.Remove("/sys/fs/cgroup/b");
  Add("/c", 30);
  EXPECT_EQ(PathsOf(reader).size(), 2u) << "until the next walk";
  Walk(reader);
  EXPECT_THAT(PathsOf(reader), ElementsAre("/c", "/a"));
}

TEST_F(CgroupReaderTest, WalksInStepsAndNoFurtherThanItsBound) {
  for (int i = 0; i < 530; ++i) tree_.Put(StrCat("/sys/fs/cgroup/many", i, "/memory.current"), "1\n");
  const ptrdiff_t before = OpenDescriptors();
  CgroupReader reader(tree_.Files());
  int steps = 1;
  while (!reader.Step()) ++steps;
  EXPECT_EQ(steps, 8) << "512 directories, 64 a step";
  EXPECT_EQ(OpenDescriptors() - before, 8) << "these have one file each";
}

TEST_F(CgroupReaderTest, GoesNoDeeperThanSixLevels) {
  std::string path;
  for (int depth = 1; depth <= 8; ++depth) {
    path += StrCat("/d", depth);
    Add(path, 100 - depth, "max", "memory");
  }
  CgroupReader reader(tree_.Files());
  Walk(reader);
  EXPECT_THAT(PathsOf(reader), ElementsAre("/d1/d2/d3/d4/d5/d6"));
}

TEST_F(CgroupReaderTest, ANameIsCleanedAndCutAndNonsenseIsLeftOut) {
  const std::string longest(200, 'x');
  Add(StrCat("/a\xff\n", longest), 10, "max", "memory");
  Add(StrCat("/a\xff\n", longest, "/", longest), 10);
  Add("/wrong", 10);
  tree_.Put("/sys/fs/cgroup/wrong/memory.current", "a lot\n");
  CgroupReader reader(tree_.Files());
  Walk(reader);
  const auto paths = PathsOf(reader);
  ASSERT_EQ(paths.size(), 1u);
  EXPECT_EQ(paths[0].size(), 256u);
  EXPECT_EQ(paths[0].substr(0, 6), "/a??xx");
}

TEST_F(CgroupReaderTest, SaysWhyThereIsNothing) {
  EXPECT_TRUE(CgroupReader(tree_.Files()).Check().ok());
  tree_.Put("/sys/fs/cgroup/cgroup.controllers", "cpu memoryless pids\n");
  EXPECT_THAT(MessageOf(CgroupReader(tree_.Files()).Check()),
              HasSubstr("does not name the memory controller"));
  tree_.Remove("/sys/fs/cgroup");
  EXPECT_THAT(MessageOf(CgroupReader(tree_.Files()).Check()), HasSubstr("/sys/fs/cgroup/cgroup.controllers"));
  CgroupReader reader(tree_.Files());
  Walk(reader);
  EXPECT_TRUE(PathsOf(reader).empty());
}

}  // namespace
}  // namespace ballast::agent
