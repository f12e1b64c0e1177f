#include "host-bridge/bridge.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <utility>

#include "common/base/text.h"
#include "host-bridge/vmm/dry_run_actuator.h"
#include "host-bridge/vmm/qmp/qmp_vm.h"

namespace ballast::bridge {
namespace {

void SetLimit(int32_t permyriad, int64_t min_bytes, int64_t max_bytes, guest::v1::Limit* limit) {
  limit->set_permyriad(permyriad);
  limit->set_min_bytes(min_bytes);
  limit->set_max_bytes(max_bytes);
}

// The agent judges by the numbers Decide uses, so that it speaks up exactly when something would be done.
guest::v1::WatchRequest RequestFor(const config::BridgeConfig& config) {
  const policy::PolicyConfig& policy = config.policy;
  guest::v1::WatchRequest request;
  auto& cadence = *request.mutable_cadence();
  cadence.set_quiet_ms(config.reports.quiet.count / 1'000'000);
  cadence.set_armed_ms(config.reports.armed.count / 1'000'000);
  cadence.set_pressed_ms(config.reports.pressed.count / 1'000'000);
  auto& thresholds = *request.mutable_thresholds();
  SetLimit(policy.critical_permyriad, policy.critical_min_bytes, policy.critical_max_bytes,
           thresholds.mutable_critical());
  SetLimit(policy.pressed_permyriad, policy.pressed_min_bytes, policy.pressed_max_bytes,
           thresholds.mutable_pressed());
  thresholds.set_exhaustion_horizon_ms(policy.exhaustion_horizon.count / 1'000'000);
  thresholds.set_stall_permyriad(policy.pressed_stall_permyriad);
  return request;
}

session::SessionConfig SessionFor(const config::BridgeConfig& config, const config::GuestEntry& guest,
                                  const guest::v1::WatchRequest& request) {
  session::SessionConfig session;
  session.name = guest.limits.name;
  session.agent = guest.agent;
  session.listen = guest.link == config::Link::kListen;
  session.watch.request = request;
  session.held_at_start = true;
  session.silence_limit = std::max(session.silence_limit, config.reports.quiet * 3);
  // The kernel's own vsock resets connections at once and takes new ones when the guest listens.
  if (std::holds_alternative<VsockAddress>(guest.agent)) session.reset_grace = Seconds(1);
  return session;
}

struct Hands {
  std::unique_ptr<vmm::Actuator> actuator;
  vmm::MemoryDevices* devices = nullptr;  // the actuator's; null: nothing is to be plugged
};

Hands HandsFor(const config::BridgeConfig& config, const config::GuestEntry& guest,
               boost::asio::io_context& io, const Clock& clock, control::GuestMailbox& mailbox) {
  vmm::qmp::QmpOptions options;
  options.name = guest.limits.name;
  options.socket_path = guest.control;
  options.command_timeout = config.vmm_deadline;
  options.host_root = config.host_root;
  auto vm = std::make_unique<vmm::qmp::QmpVm>(io, clock, mailbox, &mailbox, std::move(options));
  vmm::MemoryDevices* devices = vm.get();
  if (!config.dry_run) return {std::move(vm), devices};
  const auto post = [&io](std::function<void()> task) { boost::asio::post(io, std::move(task)); };
  return {std::make_unique<vmm::DryRunActuator>(std::move(vm), mailbox, clock, post), nullptr};
}

// The journal's options, for the guests the loop decides on.
record::RecorderOptions RecorderFor(const config::BridgeConfig& config,
                                    const std::vector<control::ManagedGuest>& managed) {
  record::RecorderOptions options;
  options.file = {config.journal, config.journal_max_bytes};
  options.header.ballast_version = BALLAST_VERSION;
  const auto boot_id = FileReader(config.host_root).Read("/proc/sys/kernel/random/boot_id");
  // Ignored when it cannot be read: it is for people.
  if (boot_id.ok()) options.header.host_boot_id = boot_id->substr(0, boot_id->find('\n'));
  options.header.dry_run = config.dry_run;
  options.header.policy = config.policy;
  for (const control::ManagedGuest& guest : managed) options.header.guests.push_back(guest.limits.name);
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Bridge>> Bridge::Create(const config::BridgeConfig& config, const Clock& clock,
                                                       control::LogSink log) {
  absl::StatusOr<observe::HostReader> reader =
      observe::HostReader::Create(FileReader(config.host_root), clock);
  if (!reader.ok()) return WithContext("the host's memory cannot be read", reader.status());
  if (!reader->PsiStatus().ok()) {
    log(LogLevel::kInfo,
        StrCat("host: without PSI, going by available memory alone (", MessageOf(reader->PsiStatus()), ")"));
  }
  return std::unique_ptr<Bridge>(new Bridge(config, *std::move(reader), clock, std::move(log)));
}

Bridge::Bridge(const config::BridgeConfig& config, observe::HostReader host_reader, const Clock& clock,
               control::LogSink log)
    : keep_running_(io_.get_executor()),
      host_reader_(std::move(host_reader)),
      api_socket_(config.api),
      api_(board_, resizes_, wakeup_, clock) {
  const guest::v1::WatchRequest request = RequestFor(config);
  std::vector<control::ManagedGuest> managed;
  // By the next look it would be closer to its end by a tick.
  const Nanos soon = policy::LongestHorizon(config.policy) + config.tick;
  for (const config::GuestEntry& entry : config.guests) {
    if (entry.limits.mode == policy::Mode::kOff) continue;
    Guest guest;
    guest.mailbox = std::make_unique<control::GuestMailbox>(wakeup_, soon);
    Hands hands = HandsFor(config, entry, io_, clock, *guest.mailbox);
    guest.actuator = std::move(hands.actuator);
    guest.session = std::make_unique<session::GuestSession>(io_, calls_, SessionFor(config, entry, request),
                                                            clock, *guest.mailbox);
    managed.push_back(
        {entry.limits, guest.mailbox.get(), guest.actuator.get(), guest.session.get(), hands.devices});
    guests_.push_back(std::move(guest));
  }
  control::LoopSettings settings;
  settings.policy = config.policy;
  settings.tick = config.tick;
  settings.dry_run = config.dry_run;
  if (!config.api.empty()) {
    settings.board = &board_;
    settings.resizes = &resizes_;
  }
  if (config.reclaim_hold_bytes > 0)
    settings.reclaim_holds = {{.name = "bridge.conf", .bytes = config.reclaim_hold_bytes}};
  if (!config.journal.empty()) {
    recorder_.emplace(RecorderFor(config, managed), log);
    settings.record = [this](const policy::Snapshot& snapshot, MonotonicTime now,
                             const policy::Outcome& outcome,
                             const std::vector<policy::OomVerdict>& verdicts) {
      recorder_->Record(snapshot, now, outcome, verdicts);
    };
  }
  loop_.emplace(
      std::move(settings), std::move(managed), [this] { return host_reader_.Read(); }, clock, wakeup_,
      std::move(log));
}

absl::Status Bridge::Start() {
  if (!api_socket_.empty()) {
    auto server = api::ApiServer::Start(api_, api_socket_);
    if (!server.ok()) return server.status();
    api_server_ = *std::move(server);
  }
  io_thread_ = std::thread([this] { io_.run(); });
  for (Guest& guest : guests_) {
    guest.actuator->Start();
    guest.session->Start();
  }
  control_thread_ = std::jthread([this](const std::stop_token& stop) { loop_->Run(stop); });
  return absl::OkStatus();
}

Bridge::~Bridge() {
  board_.Close();
  api_server_.reset();
  // The loop first: nothing is commanded while the links go down. Then the links, while the I/O thread still
  // runs.
  if (control_thread_.joinable()) {
    control_thread_.request_stop();
    control_thread_.join();
  }
  guests_.clear();
  keep_running_.reset();
  if (io_thread_.joinable()) io_thread_.join();
}

}  // namespace ballast::bridge
