#include "guest-agent/blocks/hotplug_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "tests/guest-agent/blocks/block_guest.h"

namespace ballast::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kRule[] = "SUBSYSTEM==\"memory\", ACTION==\"add\", ATTR{state}=\"online\"\n";
constexpr char kMemmap[] = "/sys/module/memory_hotplug/parameters/memmap_on_memory";

HotplugFacts FactsOf(const BlockGuest& guest, const std::string& release = "6.12.1",
                     bool kernel_follows = false) {
  return ReadHotplugFacts(FileReader(guest.Root()), kTestBlock, release, "auto", kernel_follows);
}

TEST(HotplugFacts, AQuietGuestHasNoRivals) {
  const BlockGuest guest;
  EXPECT_EQ(FactsOf(guest), (HotplugFacts{kTestBlock, "offline", "auto", false, {}}));
}

TEST(HotplugFacts, TheKernelsPolicyIsARivalUnlessTheAgentHasSetIt) {
  const BlockGuest guest;
  guest.Put("/sys/devices/system/memory/auto_online_blocks", "online_movable\n");
  EXPECT_EQ(FactsOf(guest).kernel_policy, "online_movable");
  EXPECT_THAT(FactsOf(guest).rivals,
              ElementsAre("the kernel's own policy, auto_online_blocks = online_movable"));
  const HotplugFacts followed = FactsOf(guest, "6.12.1", /*kernel_follows=*/true);
  EXPECT_EQ(followed.kernel_policy, "online_movable");
  EXPECT_THAT(followed.rivals, IsEmpty());
}

TEST(HotplugFacts, UdevRulesAreRivalsUnlessTheyAreMasked) {
  const BlockGuest guest;
  guest.Put("/usr/lib/udev/rules.d/40-a.rules", kRule);
  guest.Put("/usr/lib/udev/rules.d/40-b.rules", kRule);
  guest.Put("/usr/lib/udev/rules.d/50-other.rules", "SUBSYSTEM==\"block\", NAME=\"x\"\n");
  guest.Put("/usr/lib/udev/rules.d/60-not-a-rule.txt", kRule);
  guest.Put("/etc/udev/rules.d/40-b.rules", "");
  guest.Put("/run/udev/rules.d/70-c.rules", kRule);
  EXPECT_THAT(FactsOf(guest).rivals,
              ElementsAre("/usr/lib/udev/rules.d/40-a.rules", "/run/udev/rules.d/70-c.rules"));
  for (int i = 0; i < 40; ++i) guest.Put(StrCat("/etc/udev/rules.d/", i, ".rules"), kRule);
  EXPECT_THAT(FactsOf(guest).rivals, SizeIs(kMaxRivals));
}

TEST(HotplugFacts, MetadataCostsNothingWhereEachBlockCarriesItsOwn) {
  const BlockGuest guest;
  EXPECT_FALSE(FactsOf(guest).memmap_on_memory);
  guest.Put(kMemmap, "Y\n");
  EXPECT_TRUE(FactsOf(guest, "6.12.95+deb12-cloud-amd64").memmap_on_memory);
  EXPECT_TRUE(FactsOf(guest, "6.8").memmap_on_memory);
  EXPECT_TRUE(FactsOf(guest, "10.0-rc1").memmap_on_memory);
  EXPECT_FALSE(FactsOf(guest, "6.1.0-56-cloud-amd64").memmap_on_memory) << "there devices of one block only";
  EXPECT_FALSE(FactsOf(guest, "six").memmap_on_memory);
  guest.Put("/sys/bus/virtio/drivers/virtio_mem/bind", "");
  EXPECT_FALSE(FactsOf(guest).memmap_on_memory) << "virtio-mem plugs parts of blocks";
}

}  // namespace
}  // namespace ballast::agent
