// Host memory behind a guest, as the actuator reads it from the process at the other end of its socket. The
// fake QEMU runs in this process, so it is this one's entry in a /proc of our own.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/host-bridge/vmm/qmp/actuator_rig.h"

namespace ballast::vmm::qmp {
namespace {

class Resident : public testing::Test {
 protected:
  ~Resident() override { std::filesystem::remove_all(root_); }

  // Of the process `pid`, in MiB.
  void Write(pid_t pid, int64_t anon, int64_t shared, int64_t huge) const {
    const std::string folder = StrCat(root_, "/proc/", pid);
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/status") << "Name:\tqemu\nRssAnon:\t" << anon * 1024 << " kB\nRssShmem:\t"
                                      << shared * 1024 << " kB\nHugetlbPages:\t" << huge * 1024 << " kB\n";
  }

  // What the first reading says that knows it; nothing when none does before a command is done.
  [[nodiscard]] Maybe<int64_t> Read(RigOptions options) const {
    options.actuator.host_root = root_;
    Rig rig(options);
    EXPECT_TRUE(rig.observer.WaitForLink(LinkState::kReady));
    rig.actuator->SetBalloon(1, {64 * kMiB});
    EXPECT_TRUE(rig.observer.WaitUntil([](const Recorded& all) {
      return !all.readings.empty() && all.readings.back().value.balloon_actual.count == 64 * kMiB;
    }));
    return rig.observer.All().readings.back().value.resident_bytes;
  }

  const std::string root_ = FreshSocketPath() + ".root";
};

TEST_F(Resident, PrivateMemoryOfAGuestOnRealProcessors) {
  Write(::getpid(), 700, 20, 0);
  EXPECT_EQ(Read({}), Maybe<int64_t>(700 * kMiB));
}

TEST_F(Resident, OfAnEmulatedGuestPrivateMemoryHoldsTranslatedCodeToo) {
  Write(::getpid(), 700, 20, 0);
  RigOptions options;
  options.fake.emulated = true;
  EXPECT_EQ(Read(options), Maybe<int64_t>(20 * kMiB));
}

TEST_F(Resident, SharedMemoryAndHugePages) {
  Write(::getpid(), 90, 600, 0);
  EXPECT_EQ(Read({}), Maybe<int64_t>(600 * kMiB));
  Write(::getpid(), 90, 20, 1024);
  EXPECT_EQ(Read({}), Maybe<int64_t>(1024 * kMiB)) << "huge pages are in no RSS";
}

TEST_F(Resident, OtherMemoryDevicesAreNotTheBalloons) {
  Write(::getpid(), 90, 600, 0);
  RigOptions options;
  options.fake.virtio_mem_bytes = 256 * kMiB;
  EXPECT_EQ(Read(options), Maybe<int64_t>(344 * kMiB));
}

TEST_F(Resident, AProcessThatCannotBeReadIsDrivenAllTheSame) {
  Write(::getpid() + 1, 90, 600, 0);
  EXPECT_EQ(Read({}), Maybe<int64_t>());
}

}  // namespace
}  // namespace ballast::vmm::qmp
