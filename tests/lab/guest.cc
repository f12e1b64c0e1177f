#include "tests/lab/guest.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/accelerator.h"

namespace ballast::lab {
namespace {

constexpr absl::Duration kBootTimeout = absl::Seconds(45);  // an emulated boot takes 3 s on an idle machine
constexpr absl::Duration kPoll = absl::Milliseconds(5);
constexpr std::string_view kReadyLine = "lab: ready";

// The number after `key` in "key number" lines.
absl::StatusOr<int64_t> NumberAfter(std::string_view text, std::string_view key) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return absl::DataLossError(StrCat("no '", key, "' in '", text, "'"));
  text.remove_prefix(at + key.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  int64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) {
    return absl::DataLossError(StrCat("no number after '", key, "'"));
  }
  return number;
}

std::string Tail(const std::string& text) {
  constexpr size_t kTailBytes = 3000;
  return text.size() <= kTailBytes ? text : text.substr(text.size() - kTailBytes);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Guest>> Guest::Boot(const GuestOptions& options) {
  const absl::StatusOr<Assets> assets = FindAssets();
  if (!assets.ok()) return assets.status();
  absl::StatusOr<std::unique_ptr<Guest>> guest = TryBoot(options, *assets);
  if (!guest.ok()) guest = TryBoot(options, *assets);
  return guest;
}

absl::StatusOr<std::unique_ptr<Guest>> Guest::TryBoot(const GuestOptions& options, const Assets& assets) {
  absl::StatusOr<Workspace> workspace = Workspace::Create();
  if (!workspace.ok()) return workspace.status();
  std::unique_ptr<Guest> guest(new Guest(options, std::move(*workspace)));
  if (absl::Status chosen = guest->ChoosePlaces(assets); !chosen.ok()) return chosen;
  const absl::Time start = absl::Now();
  if (absl::Status started = guest->StartVsock(assets); !started.ok()) return started;
  if (absl::Status started = guest->StartQemu(); !started.ok()) return started;
  absl::Status answering = guest->WaitForExec(kBootTimeout);
  if (!answering.ok()) {
    return absl::Status(answering.code(), StrCat("guest '", options.name, "' did not boot: ",
                                                 MessageOf(answering), "\n", Tail(guest->SerialLog())));
  }
  guest->boot_time_ = absl::Now() - start;
  return guest;
}

absl::Status Guest::ChoosePlaces(const Assets& assets) {
  const absl::StatusOr<std::string> accelerator = ChooseAccelerator(assets);
  if (!accelerator.ok()) return accelerator.status();
  places_.qemu = assets.qemu;
  places_.accelerator = *accelerator;
  places_.kernel = options_.kernel.empty() ? assets.kernel : options_.kernel;
  places_.initramfs = options_.initramfs.empty() ? assets.initramfs : options_.initramfs;
  places_.serial_log = workspace_.Path("serial.log");
  places_.bridge_qmp = workspace_.Path("bridge.qmp");
  places_.test_qmp = workspace_.Path("test.qmp");
  if (assets.vsock_device.empty()) {
    // CIDs are shared by the whole host: one that is taken makes QEMU fail, and the second attempt draws
    // another.
    places_.guest_cid =
        std::uniform_int_distribution<uint32_t>(1U << 16, 1U << 30)(*std::make_unique<std::random_device>());
  } else {
    places_.vsock_socket = workspace_.Path("vhost.sock");
    vsock_path_ = workspace_.Path("vsock");
  }
  if (options_.disk_mib > 0) {
    places_.disk = workspace_.Path("disk");
    std::ofstream(places_.disk).close();
    std::error_code error;
    std::filesystem::resize_file(places_.disk, static_cast<uintmax_t>(options_.disk_mib * kMiB), error);
    if (error) return ErrnoStatus(error.value(), places_.disk.c_str());
  }
  return absl::OkStatus();
}

absl::Status Guest::StartVsock(const Assets& assets) {
  if (places_.vsock_socket.empty()) return absl::OkStatus();
  const std::string vm =
      StrCat("guest-cid=", places_.guest_cid, ",socket=", places_.vsock_socket, ",uds-path=", vsock_path_);
  absl::StatusOr<ChildProcess> started =
      ChildProcess::Start({.argv = {assets.vsock_device, "--vm", vm},
                           .log_path = workspace_.Path("vsock.log"),
                           .environment = {{"LD_LIBRARY_PATH", assets.vsock_libraries}}});
  if (!started.ok()) return started.status();
  vsock_ = std::move(*started);
  const absl::Time deadline = absl::Now() + absl::Seconds(5);
  while (access(places_.vsock_socket.c_str(), F_OK) != 0) {  // QEMU does not wait for it
    if (!vsock_.IsRunning() || absl::Now() > deadline) {
      return absl::UnavailableError(StrCat("vhost-device-vsock does not listen: ", vsock_.Log()));
    }
    absl::SleepFor(kPoll);
  }
  return absl::OkStatus();
}

absl::Status Guest::StartQemu() {
  absl::StatusOr<ChildProcess> started =
      ChildProcess::Start({.argv = QemuCommand(options_, places_), .log_path = workspace_.Path("qemu.log")});
  if (!started.ok()) return started.status();
  qemu_ = std::move(*started);
  absl::StatusOr<std::unique_ptr<QmpClient>> qmp = QmpClient::Connect(places_.test_qmp, absl::Seconds(10));
  if (!qmp.ok())
    return absl::Status(qmp.status().code(), StrCat(MessageOf(qmp.status()), "; QEMU says: ", qemu_.Log()));
  qmp_ = std::move(*qmp);
  return absl::OkStatus();
}

Address Guest::PortAddress(uint32_t port) const {
  if (vsock_path_.empty()) return VsockAddress{.cid = places_.guest_cid, .port = port};
  return HybridAddress{.path = vsock_path_, .port = port};
}

absl::StatusOr<int> Guest::CountBoots() const {
  const std::string log = SerialLog();
  if (absl::StrContains(log, "Kernel panic") || absl::StrContains(log, "Oops:")) {
    return absl::AbortedError("the guest's kernel crashed");
  }
  int boots = 0;
  for (size_t at = log.find(kReadyLine); at != std::string::npos; at = log.find(kReadyLine, at + 1)) ++boots;
  return boots;
}

absl::Status Guest::WaitForExec(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  absl::Status last = absl::DeadlineExceededError("the guest said nothing");
  while (absl::Now() < deadline) {
    if (!qemu_.IsRunning()) return absl::UnavailableError(StrCat("QEMU ended: ", qemu_.Log()));
    const absl::StatusOr<int> boots = CountBoots();
    if (!boots.ok()) return boots.status();
    if (*boots >= boots_awaited_) {
      const absl::StatusOr<ExecResult> alive = Exec("echo alive", absl::Seconds(2));
      if (alive.ok() && alive->output == "alive\n") return absl::OkStatus();
      last = alive.status();
    }
    absl::SleepFor(kPoll);
  }
  return last;
}

absl::StatusOr<ExecResult> Guest::Exec(const std::string& command, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  absl::StatusOr<GuestCommand> running = GuestCommand::Start(PortAddress(kCommandPort), command, deadline);
  if (!running.ok()) return running.status();
  return running->Wait(deadline - absl::Now());
}

absl::StatusOr<GuestCommand> Guest::ExecAsync(const std::string& command) {
  return GuestCommand::Start(PortAddress(kCommandPort), command, absl::Now() + absl::Seconds(5));
}

absl::StatusOr<int64_t> Guest::BalloonActual() {
  const absl::StatusOr<boost::json::value> answer = qmp_->Execute("query-balloon");
  if (!answer.ok()) return answer.status();
  const boost::json::object* object = answer->if_object();
  const boost::json::value* actual = object == nullptr ? nullptr : object->if_contains("actual");
  if (actual == nullptr || !actual->is_int64()) return absl::DataLossError("query-balloon has no 'actual'");
  return actual->get_int64();
}

absl::Status Guest::SetBalloon(int64_t guest_visible_bytes, absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  const auto recorded = qmp_->Execute("balloon", {{"value", guest_visible_bytes}});
  if (!recorded.ok()) return recorded.status();
  while (true) {
    const absl::StatusOr<int64_t> actual = BalloonActual();
    if (!actual.ok()) return actual.status();
    if (*actual == guest_visible_bytes) return absl::OkStatus();
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(
          StrCat("balloon: asked for ", guest_visible_bytes, " guest-visible bytes, reached ", *actual));
    }
    absl::SleepFor(kPoll);
  }
}

absl::StatusOr<int64_t> Guest::OomKills() {
  const absl::StatusOr<ExecResult> stat = Exec("lab-guest stat");
  if (!stat.ok()) return stat.status();
  return NumberAfter(stat->output, "oom_kill");
}

absl::StatusOr<int64_t> Guest::RssBytes() const {
  const absl::StatusOr<int64_t> kib =
      NumberAfter(ReadWholeFile(StrCat("/proc/", qemu_.pid(), "/status")), "VmRSS:");
  if (!kib.ok()) return kib.status();
  return *kib * kKiB;
}

absl::Status Guest::Reset() {
  const absl::StatusOr<int> boots = CountBoots();
  if (!boots.ok()) return boots.status();
  boots_awaited_ = *boots + 1;
  return qmp_->Execute("system_reset").status();
}

}  // namespace ballast::lab
