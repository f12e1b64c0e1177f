#include "tests/lab/qemu_command.h"

#include <gmock/gmock.h>

#include "absl/strings/str_join.h"

namespace ballast::lab {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

QemuPlaces Places() {
  QemuPlaces places;
  places.qemu = "qemu";
  places.accelerator = "tcg";
  places.bridge_qmp = "/t/bridge.qmp";
  places.test_qmp = "/t/test.qmp";
  places.vsock_socket = "/t/vhost.sock";
  return places;
}

std::string Text(const GuestOptions& options, const QemuPlaces& places) {
  return absl::StrJoin(QemuCommand(options, places), " ");
}

TEST(QemuCommand, GivesBridgeAndTestAMonitorEach) {
  const std::string text = Text({}, Places());
  EXPECT_THAT(text, HasSubstr("id=bridge,path=/t/bridge.qmp"));
  EXPECT_THAT(text, HasSubstr("id=test,path=/t/test.qmp"));
}

TEST(QemuCommand, AvoidsTheBrokenInstructionOnlyWhenEmulating) {
  QemuPlaces places = Places();
  EXPECT_THAT(QemuCommand({}, places), Contains("max,-cx16"));
  places.accelerator = "kvm";
  EXPECT_THAT(QemuCommand({}, places), Not(Contains("max,-cx16")));
}

TEST(QemuCommand, TellsInitAboutTheAgent) {
  GuestOptions options;
  options.agent_args = {"--listen", "vsock:1000"};
  EXPECT_THAT(Text(options, Places()), HasSubstr("lab.agent_args=--listen,vsock:1000"));
  options.agent = false;
  EXPECT_THAT(Text(options, Places()), HasSubstr("lab.agent=0"));
}

TEST(QemuCommand, UsesTheHostsOwnVsockWhenThereIsOne) {
  QemuPlaces places = Places();
  EXPECT_THAT(Text({}, places), HasSubstr("vhost-user-vsock-pci"));
  places.vsock_socket.clear();
  places.guest_cid = 77;
  EXPECT_THAT(Text({}, places), HasSubstr("vhost-vsock-pci,guest-cid=77"));
  places.guest_cid = 0;
  EXPECT_THAT(Text({}, places), Not(HasSubstr("vsock")));
}

TEST(QemuCommand, SpreadsMemoryOverNodesOnRequest) {
  GuestOptions options;
  options.memory_mib = 256;
  options.cpus = 2;
  EXPECT_THAT(Text(options, Places()),
              AllOf(HasSubstr("memory-backend=ram0"), HasSubstr("id=ram0,size=256M")));
  options.numa_nodes = 2;
  const std::string text = Text(options, Places());
  EXPECT_THAT(text, AllOf(HasSubstr("id=ram0,size=128M"), HasSubstr("node,nodeid=0,cpus=0-1,memdev=ram0"),
                          HasSubstr("id=ram1,size=128M"), HasSubstr("node,nodeid=1,memdev=ram1")));
  EXPECT_THAT(text, Not(HasSubstr("memory-backend=ram")));
}

TEST(QemuCommand, LeavesRoomForHotplugOnRequest) {
  GuestOptions options;
  options.memory_mib = 512;
  EXPECT_THAT(QemuCommand(options, Places()), Contains("size=512M"));
  options.hotplug_mib = 1024;
  EXPECT_THAT(QemuCommand(options, Places()), Contains("size=512M,slots=16,maxmem=1536M"));
}

TEST(QemuCommand, VirtioMemNeedsRoomAndNoSlots) {
  GuestOptions options;
  options.memory_mib = 512;
  options.virtio_mem_mib = 256;
  const auto command = QemuCommand(options, Places());
  EXPECT_THAT(command, Contains("size=512M,maxmem=768M"));
  EXPECT_THAT(command, Contains("memory-backend-memfd,id=vmem0,size=256M,share=on,reserve=off"));
  EXPECT_THAT(command, Contains("virtio-mem-pci,id=vm0,memdev=vmem0,requested-size=0,block-size=2M"));
}

}  // namespace
}  // namespace ballast::lab
