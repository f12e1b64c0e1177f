#include "guest-agent/survival/cgroup_protection.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/base/units.h"

namespace ballast::agent {
namespace {

using ::testing::HasSubstr;

constexpr pid_t kPid = 123;
constexpr const char* kOwn = "/sys/fs/cgroup/ballast-agent";

class CgroupProtectionTest : public ::testing::Test {
 protected:
  CgroupProtectionTest() : root_(::testing::TempDir() + "ballast-cgroup-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(root_);
    Write("/sys/fs/cgroup/cgroup.subtree_control", "");
  }
  ~CgroupProtectionTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  [[nodiscard]] std::string Text(const std::string& path) const { return *FileReader(root_).Read(path); }
  [[nodiscard]] absl::StatusOr<std::string> Protect() const {
    return ProtectByCgroup(FileReader(root_), kPid, 16 * kMiB);
  }

  std::string root_;
};

TEST_F(CgroupProtectionTest, OfTheRootGroupAProcessGetsAGroupOfItsOwn) {
  Write("/proc/123/cgroup", "1:name=systemd:/\n0::/\n");
  Write(std::string(kOwn) + "/memory.min", "0\n");
  Write(std::string(kOwn) + "/cgroup.procs", "");
  const auto protection = Protect();
  ASSERT_TRUE(protection.ok()) << protection.status();
  EXPECT_EQ(*protection, "16MiB for /ballast-agent");
  EXPECT_EQ(Text("/sys/fs/cgroup/cgroup.subtree_control"), "+memory");
  EXPECT_EQ(Text(std::string(kOwn) + "/cgroup.procs"), "123");
  EXPECT_THAT(Text(std::string(kOwn) + "/memory.min"), HasSubstr("16777216"));
}

TEST_F(CgroupProtectionTest, AManagersGroupIsKept) {
  Write("/proc/123/cgroup", "0::/vm.slice/ballast-agent.service\n");
  Write("/sys/fs/cgroup/vm.slice/memory.min", "33554432\n");
  Write("/sys/fs/cgroup/vm.slice/ballast-agent.service/memory.min", "max\n");
  const auto protection = Protect();
  ASSERT_TRUE(protection.ok()) << protection.status();
  EXPECT_THAT(*protection, HasSubstr("for /vm.slice/ballast-agent.service"));
  EXPECT_EQ(Text("/sys/fs/cgroup/vm.slice/ballast-agent.service/memory.min"), "max\n") << "it was enough";
}

TEST_F(CgroupProtectionTest, AnUnprotectedParentMakesItWorthless) {
  Write("/proc/123/cgroup", "0::/vm.slice/ballast-agent.service\n");
  Write("/sys/fs/cgroup/vm.slice/memory.min", "0\n");
  Write("/sys/fs/cgroup/vm.slice/ballast-agent.service/memory.min", "0\n");
  const auto protection = Protect();
  EXPECT_EQ(protection.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(protection.status().message()),
              HasSubstr("/vm.slice/memory.min is 0: below 16777216"));
  EXPECT_THAT(std::string(protection.status().message()), HasSubstr("MemoryMin="));
}

TEST_F(CgroupProtectionTest, SaysWhatIsMissing) {
  EXPECT_EQ(Protect().status().code(), absl::StatusCode::kNotFound) << "no /proc/123/cgroup";
  Write("/proc/123/cgroup", "4:memory:/\n");
  EXPECT_THAT(std::string(Protect().status().message()), HasSubstr("no cgroup of version 2"));
  Write("/proc/123/cgroup", "0::/a\n");
  EXPECT_THAT(std::string(Protect().status().message()), HasSubstr("/a/memory.min"));
  Write("/sys/fs/cgroup/a/memory.min", "much\n");
  EXPECT_THAT(std::string(Protect().status().message()), HasSubstr("'much': not a number of bytes"));
}

}  // namespace
}  // namespace ballast::agent
