#include "tests/lab/accelerator.h"

#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "tests/lab/child_process.h"
#include "tests/lab/qemu_command.h"
#include "tests/lab/workspace.h"

namespace ballast::lab {
namespace {

// Emulation needs about three seconds for the same boot; KVM that is not clearly quicker is not worth having.
constexpr absl::Duration kProbeTime = absl::Seconds(3);

std::string HostBootId() {
  return std::string(absl::StripSuffix(ReadWholeFile("/proc/sys/kernel/random/boot_id"), "\n"));
}

absl::StatusOr<bool> ProbeGuestBoots(const Assets& assets) {
  absl::StatusOr<Workspace> workspace = Workspace::Create();
  if (!workspace.ok()) return workspace.status();
  GuestOptions options{.name = "probe", .memory_mib = 256, .agent = false};
  const QemuPlaces places{
      .qemu = assets.qemu,
      .accelerator = "kvm",
      .kernel = assets.kernel,
      .initramfs = assets.initramfs,
      .serial_log = workspace->Path("serial.log"),
      .bridge_qmp = workspace->Path("bridge.qmp"),
      .test_qmp = workspace->Path("test.qmp"),
      .vsock_socket = "",
      .guest_cid = 0,  // booting to the end of init is proof enough and needs no second process
      .disk = ""};
  absl::StatusOr<ChildProcess> qemu = ChildProcess::Start({.argv = QemuCommand(options, places)});
  if (!qemu.ok()) return qemu.status();
  const absl::Time deadline = absl::Now() + kProbeTime;
  while (absl::Now() < deadline && qemu->IsRunning()) {
    if (ReadWholeFile(places.serial_log).find("lab: ") != std::string::npos) return true;
    absl::SleepFor(absl::Milliseconds(20));
  }
  return false;
}

}  // namespace

absl::StatusOr<std::string> ChooseAccelerator(const Assets& assets) {
  if (const char* wanted = std::getenv("BALLAST_LAB_ACCEL")) return std::string(wanted);
  if (access("/dev/kvm", R_OK | W_OK) != 0) return "tcg";
  const std::string path = StrCat(assets.cache, "/accelerator");
  const std::string boot_id = HostBootId();
  const std::vector<std::string> known = absl::StrSplit(ReadWholeFile(path), ' ');
  if (known.size() == 2 && known[0] == boot_id) return known[1];
  const absl::StatusOr<bool> boots = ProbeGuestBoots(assets);
  if (!boots.ok()) return boots.status();
  const std::string accelerator = *boots ? "kvm" : "tcg";
  const std::string part = StrCat(path, ".", getpid());
  std::ofstream(part) << boot_id << ' ' << accelerator;
  std::rename(part.c_str(), path.c_str());  // failing only costs another probe
  return accelerator;
}

}  // namespace ballast::lab
