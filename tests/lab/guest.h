// A real virtual machine for tests: QEMU, a small Debian kernel, an initramfs with BusyBox, `lab-guest` and
// the agent. Everything it starts and creates goes away with the object, and with the process however that
// ends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/transport/address.h"
#include "tests/lab/assets.h"
#include "tests/lab/child_process.h"
#include "tests/lab/guest_command.h"
#include "tests/lab/qemu_command.h"
#include "tests/lab/qmp_client.h"
#include "tests/lab/workspace.h"

namespace ballast::lab {

inline constexpr uint32_t kAgentPort = 1000;

class Guest {
 public:
  // Boots and waits until commands are answered. A boot that fails or oopses (emulated kernels rarely do) is
  // tried once more. The error carries the end of the serial log.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Guest>> Boot(const GuestOptions& options);

  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  [[nodiscard]] const GuestOptions& options() const { return options_; }
  [[nodiscard]] absl::Duration boot_time() const { return boot_time_; }
  [[nodiscard]] pid_t pid() const { return qemu_.pid(); }  // QEMU's
  [[nodiscard]] pid_t vsock_pid() const {
    return vsock_.pid();
  }  // vhost-device-vsock's; 0 with the host's own vsock
  [[nodiscard]] const std::string& directory() const { return workspace_.path(); }
  // The monitor kept free for the bridge.
  [[nodiscard]] const std::string& bridge_qmp_path() const { return places_.bridge_qmp; }
  // The hybrid vsock socket; empty with the host's own vsock.
  [[nodiscard]] const std::string& vsock_path() const { return vsock_path_; }
  [[nodiscard]] Address PortAddress(uint32_t port) const;
  // Where the agent listens, as the bridge's configuration wants it ("unix:PATH:1000").
  [[nodiscard]] std::string AgentAddress() const { return FormatAddress(PortAddress(kAgentPort)); }
  [[nodiscard]] std::string SerialLog() const { return ReadWholeFile(places_.serial_log); }

  // Until commands are answered by the present boot (after Reset: by the next one).
  [[nodiscard]] absl::Status WaitForExec(absl::Duration timeout);
  // Runs a shell command in the guest; the result says how it ended, the status only whether that is known.
  [[nodiscard]] absl::StatusOr<ExecResult> Exec(const std::string& command,
                                                absl::Duration timeout = absl::Seconds(30));
  [[nodiscard]] absl::StatusOr<GuestCommand> ExecAsync(const std::string& command);

  // The test's own monitor; see QmpClient::Execute.
  [[nodiscard]] absl::StatusOr<boost::json::value> Qmp(std::string_view command,
                                                       const boost::json::object& arguments = {}) {
    return qmp_->Execute(command, arguments);
  }
  [[nodiscard]] QmpClient& qmp() { return *qmp_; }
  // Guest-visible bytes, QEMU's number.
  [[nodiscard]] absl::StatusOr<int64_t> BalloonActual();
  // Sets the target and waits until it is reached. DEADLINE_EXCEEDED says how far it got; the target stays
  // set.
  [[nodiscard]] absl::Status SetBalloon(int64_t guest_visible_bytes,
                                        absl::Duration timeout = absl::Seconds(20));
  // The guest kernel's count of OOM kills since it booted.
  [[nodiscard]] absl::StatusOr<int64_t> OomKills();
  // Host memory resident for the guest: QEMU's RSS in bytes.
  [[nodiscard]] absl::StatusOr<int64_t> RssBytes() const;

  [[nodiscard]] absl::Status Stop() { return qmp_->Execute("stop").status(); }
  [[nodiscard]] absl::Status Cont() { return qmp_->Execute("cont").status(); }
  // A hard reset; follow with WaitForExec.
  [[nodiscard]] absl::Status Reset();

 private:
  Guest(GuestOptions options, Workspace workspace)
      : options_(std::move(options)), workspace_(std::move(workspace)) {}
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Guest>> TryBoot(const GuestOptions& options,
                                                                      const Assets& assets);
  [[nodiscard]] absl::Status ChoosePlaces(const Assets& assets);
  [[nodiscard]] absl::Status StartVsock(const Assets& assets);
  [[nodiscard]] absl::Status StartQemu();
  [[nodiscard]] absl::StatusOr<int> CountBoots() const;

  // Destroyed in reverse: first QEMU, then its vsock device, then the directory of both.
  GuestOptions options_;
  Workspace workspace_;
  QemuPlaces places_;
  std::string vsock_path_;
  ChildProcess vsock_;
  ChildProcess qemu_;
  std::unique_ptr<QmpClient> qmp_;
  int boots_awaited_ = 1;  // "ready" lines on the serial console before commands are tried
  absl::Duration boot_time_;
};

}  // namespace ballast::lab
