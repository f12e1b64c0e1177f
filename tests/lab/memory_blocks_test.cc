// Memory that is plugged into real guests: it comes online at once, where it should, and what the agent tells
// is what the guest's kernel says.
#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/growth.h"
#include "tests/lab/hotplug_guest.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

using guest::v1::Event;
using guest::v1::GuestAgent;
using ::testing::HasSubstr;

constexpr int64_t kBlock = HotplugGuest::kBlock;
constexpr char kKernelPolicy[] = "/sys/devices/system/memory/auto_online_blocks";

class MemoryBlocksLab : public LabTest {
 protected:
  // `index`: of LabKernels().
  void BootGuest(GuestOptions options, size_t index = 0) {
    const auto kernels = LabKernels();
    ASSERT_TRUE(kernels.ok()) << kernels.status();
    const LabKernel& kernel = kernels->at(index);
    options.free_page_reporting = false;
    options.kernel = kernel.kernel;
    options.initramfs = kernel.initramfs;
    guest_ = Boot(options);
    ASSERT_NE(guest_, nullptr);
    blocks_ = std::make_unique<HotplugGuest>(*guest_);
    if (!options.agent) return;
    const auto status = blocks_->Connect();
    ASSERT_TRUE(status.ok()) << status;
  }

  std::unique_ptr<AgentWatch> Watch() {
    guest::v1::WatchRequest request;
    request.mutable_cadence()->set_quiet_ms(1'000);
    request.mutable_cadence()->set_armed_ms(200);
    auto watch = AgentWatch::Connect(guest_->PortAddress(kAgentPort), request);
    EXPECT_TRUE(watch.ok()) << watch.status();
    return watch.ok() ? *std::move(watch) : nullptr;
  }

  void ExpectListed();

  Guest* guest_ = nullptr;
  std::unique_ptr<HotplugGuest> blocks_;
};

// "first: 32 count: 2 ..." of all events so far, and of no other kind.
std::string Told(AgentWatch& watch, size_t count) {
  std::string told;
  for (const Event& event :
       watch.Events([](const Event& one) { return one.has_blocks_changed(); }, count, absl::Seconds(10))) {
    told += event.blocks_changed().ShortDebugString() + "\n";
  }
  return told;
}

// On each kernel there is.
class MemoryBlocksTest : public MemoryBlocksLab, public ::testing::WithParamInterface<size_t> {};

TEST_P(MemoryBlocksTest, WhatIsPluggedComesOnlineAtOnceAndIsTold) {
  ASSERT_NO_FATAL_FAILURE(
      BootGuest({.memory_mib = 256,
                 .hotplug_mib = 2048,
                 .qemu_args = {"-object", "memory-backend-memfd,id=vmem0,size=1G,share=on,reserve=off",
                               "-device", "virtio-mem-pci,id=vm0,memdev=vmem0,requested-size=0"}},
                GetParam()));
  const auto watch = Watch();
  ASSERT_NE(watch, nullptr);
  const auto& info = watch->info().memory_hotplug();
  EXPECT_EQ(info.block_size_bytes(), kBlock);
  EXPECT_EQ(info.kernel_policy(), "online_movable") << "the kernel does what the agent would";
  EXPECT_EQ(info.agent_policy(), "auto");
  EXPECT_EQ(info.rivals_size(), 0);
  const int64_t total = blocks_->Meminfo("MemTotal");
  ASSERT_TRUE(blocks_->PlugDimm("d0", 256).ok());
  EXPECT_THAT(Told(*watch, 1), HasSubstr("count: 2 state: BLOCK_STATE_ONLINE zone: \"Movable\""));
  EXPECT_EQ(blocks_->Meminfo("MemTotal"), total + 2 * kBlock);
  // The other way to plug; its driver waits for its blocks to come online.
  ASSERT_TRUE(blocks_->RequestVirtioMem(2 * kBlock).ok());
  EXPECT_TRUE(blocks_->Eventually([](const auto& now) { return CountOf(now, "online Movable") == 4; }));
  const auto report = watch->Until(
      [](const guest::v1::Report& one) { return one.memory_blocks().movable_bytes() == 4 * kBlock; },
      absl::Seconds(10));
  ASSERT_TRUE(report.has_value()) << watch->LastReport().memory_blocks().ShortDebugString();
  EXPECT_EQ(report->memory_blocks().online_bytes(), 6 * kBlock);
  EXPECT_EQ(report->memory_blocks().offline_bytes(), 0);
  EXPECT_GT(report->memory_blocks().room_bytes(), 0);
  ExpectListed();
}

// The agent's list against the guest's own.
void MemoryBlocksLab::ExpectListed() {
  const auto listed =
      blocks_->Call(&GuestAgent::Stub::ListMemoryBlocks, guest::v1::ListMemoryBlocksRequest());
  ASSERT_TRUE(listed.ok()) << listed.status();
  std::map<int64_t, std::string> blocks;
  for (const auto& range : listed->ranges()) {
    for (int64_t i = 0; i < range.count(); ++i) {
      const bool online = range.state() == guest::v1::BLOCK_STATE_ONLINE;
      blocks[range.first() + i] = online ? StrCat("online ", range.zone()) : "offline";
    }
  }
  EXPECT_EQ(blocks, blocks_->Blocks());
}

TEST_P(MemoryBlocksTest, TheKernelBringsBlocksOnlineForTheAgentAndKeepsToItsShare) {
  ASSERT_NO_FATAL_FAILURE(BootGuest({.memory_mib = 384, .hotplug_mib = 2560}, GetParam()));
  const std::string policy = StrCat("cat ", kKernelPolicy);
  ASSERT_EQ(blocks_->Run(policy), "online_movable\n");
  // Nobody else does anything.
  blocks_->Run("kill -STOP $(pidof ballast-agent)");
  ASSERT_TRUE(blocks_->PlugDimm("d0", 512).ok());
  EXPECT_TRUE(blocks_->Eventually([](const auto& now) { return CountOf(now, "online Movable") == 4; }));
  // Too much for the share of Movable; the agent makes up for it.
  ASSERT_TRUE(blocks_->PlugDimm("d1", 1280).ok());
  EXPECT_TRUE(blocks_->Eventually([](const auto& now) { return CountOf(now, "online Movable") == 14; }));
  blocks_->Run("kill -CONT $(pidof ballast-agent)");
  EXPECT_TRUE(blocks_->Eventually([](const auto& now) { return CountOf(now, "online Movable") == 12; }));
  EXPECT_TRUE(blocks_->Eventually([](const auto& now) { return CountOf(now, "offline") == 0; }));
  // The last that fit: what comes next has to serve the kernel.
  ASSERT_TRUE(blocks_->PlugDimm("d2", 256).ok());
  EXPECT_TRUE(blocks_->Eventually([&](const auto& now) {
    return CountOf(now, "online Movable") == 14 && blocks_->Run(policy) == "offline\n";
  })) << blocks_->Run("cat /run/ballast-agent.log");
  ExpectListed();
}

TEST_P(MemoryBlocksTest, AnAgentThatEndsLeavesTheKernelAsItWas) {
  ASSERT_NO_FATAL_FAILURE(BootGuest({.memory_mib = 256, .hotplug_mib = 1024}, GetParam()));
  const std::string policy = StrCat("cat ", kKernelPolicy);
  const std::string start = "setsid ballast-agent > /run/ballast-agent.log 2>&1 < /dev/null &";
  const auto becomes = [&](const std::string& wanted) {
    return blocks_->Eventually([&](const auto&) { return blocks_->Run(policy) == wanted; });
  };
  blocks_->Hangup();
  blocks_->Run("kill -TERM $(pidof ballast-agent)");
  EXPECT_TRUE(becomes(GetParam() == 0 ? "offline\n" : "online\n")) << "the kernel's own default";
  blocks_->Run("while pidof ballast-agent > /dev/null; do usleep 20000; done");
  blocks_->Run(start);
  EXPECT_TRUE(becomes("online_movable\n"));
  // Of one that was killed the kernel goes on as it was told.
  blocks_->Run("kill -9 $(pidof ballast-agent)");
  ASSERT_TRUE(blocks_->PlugDimm("d0", 256).ok());
  EXPECT_TRUE(blocks_->Eventually([](const auto& now) { return CountOf(now, "online Movable") == 2; }));
}

TEST_F(MemoryBlocksLab, EventsThatWereLostAreMadeUpFor) {
  ASSERT_NO_FATAL_FAILURE(BootGuest({.memory_mib = 256, .hotplug_mib = 512}));
  // The agent sleeps while more events come than wait for it; the kernel leaves the blocks to it.
  blocks_->Run("kill -STOP $(pidof ballast-agent); echo offline > " + std::string(kKernelPolicy));
  blocks_->Run(
      "i=0; while [ $i -lt 14000 ]; do echo add > /sys/devices/system/memory/memory1/uevent; i=$((i+1)); "
      "done");
  ASSERT_TRUE(blocks_->PlugDimm("d0", 256).ok());
  ASSERT_TRUE(blocks_->Eventually([](const auto& now) { return CountOf(now, "offline") == 2; }));
  blocks_->Run("kill -CONT $(pidof ballast-agent)");
  EXPECT_TRUE(blocks_->Eventually([](const auto& now) { return CountOf(now, "online Movable") == 2; }));
  EXPECT_THAT(blocks_->Run("cat /run/ballast-agent.log"), HasSubstr("events of memory blocks were lost"));
}

TEST_F(MemoryBlocksLab, GrowsThirtyTwoTimesInStepsOfTheRoomThereIs) {
  ASSERT_NO_FATAL_FAILURE(BootGuest(SmallGuest()));
  const auto watch = Watch();
  ASSERT_NE(watch, nullptr);
  const auto growth = GrowInSteps(*guest_, *blocks_, *watch);
  ASSERT_TRUE(growth.ok()) << growth.status();
  EXPECT_GE(growth->Factor(), 32);
  EXPECT_LE(growth->steps, 7);
  EXPECT_EQ(growth->oom_kills, 0);
  EXPECT_GE(CountOf(blocks_->Blocks(), "online Movable"), 27);
  EXPECT_LE(CountOf(blocks_->Blocks(), "online Movable"), 30) << "a quarter serves the kernel";
  EXPECT_GT(blocks_->Meminfo("MemTotal"), 5000 * kMiB);
}

TEST_F(MemoryBlocksLab, TheSameAtOnceIsMoreThanTheGuestBears) {
  GuestOptions options = SmallGuest();
  options.agent = false;
  ASSERT_NO_FATAL_FAILURE(BootGuest(options));
  blocks_->Run(StrCat("echo online_movable > ", kKernelPolicy));
  ASSERT_TRUE(blocks_->PlugDimm("d0", kMoreBlocks * 128).ok());
  // Its kernel gives up and has nothing of it; or it is killing, or does not answer any more.
  std::string fate;
  const absl::Time until = absl::Now() + absl::Seconds(8);
  while (absl::Now() < until && fate.empty()) {
    absl::SleepFor(absl::Milliseconds(300));
    const auto asked = guest_->Exec(
        "awk '/^oom_kill / && $2 > 0 {print \"OOM kills\"}' /proc/vmstat; dmesg | grep -o 'add_memory "
        "failed'",
        absl::Seconds(3));
    fate = asked.ok() ? asked->output : "it does not answer";
  }
  std::cout << "at once: " << fate << "\n";
  EXPECT_NE(fate, "");
  if (fate.starts_with("add_memory failed")) {
    EXPECT_EQ(blocks_->Blocks().size(), static_cast<size_t>(kSmallBlocks));
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, MemoryBlocksTest, ::testing::Values(size_t{0}, size_t{1}),
                         [](const auto& tested) { return tested.param == 0 ? "Stable" : "Backports"; });

}  // namespace
}  // namespace ballast::lab
