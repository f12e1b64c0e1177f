#include "host-bridge/vmm/qmp/qmp_actuator.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <utility>

#include "common/base/text.h"
#include "host-bridge/vmm/observer_gate.h"
#include "host-bridge/vmm/qmp/machine_reader.h"
#include "host-bridge/vmm/qmp/qmp_client.h"
#include "host-bridge/vmm/qmp/resident_reader.h"
#include "host-bridge/vmm/qmp/statistics_reader.h"

namespace ballast::vmm::qmp {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

// After a command: a look at 50 ms, 200 ms and 1 s, then at the poll's pace. A balloon moves about 1 GiB/s.
constexpr std::array<Nanos, 3> kFollowUps = {Milliseconds(50), Milliseconds(150), Milliseconds(800)};
// One reset of the VM gives two RESET events, measured 23 ms apart.
constexpr int64_t kSameResetMicroseconds = 1'000'000;
// How often a target is converted anew, or a reading repeated, because DIMMs come and go meanwhile.
constexpr int kMaxRepeats = 3;

}  // namespace

// Lives on the I/O thread; outlasts the actuator until its last handler has run.
class QmpActuator::Core final : public ClientListener, public std::enable_shared_from_this<Core> {
 public:
  Core(asio::io_context& io, const Clock& clock, ActuatorObserver& observer, QmpOptions options)
      : gate(observer), io_(io), clock_(clock), options_(std::move(options)), poll_(io) {}

  void Start();
  void Stop();
  void Set(uint64_t id, BalloonBytes target);

  void OnUp(const Greeting& greeting) override;
  void OnDown(const absl::Status& why) override;
  void OnEvent(const Event& event) override;

  ObserverGate gate;

 private:
  struct Command {
    uint64_t id = 0;
    BalloonBytes target;
    int64_t base_bytes = 0;  // what the target was converted with
    MonotonicTime started_at;
    MonotonicTime written_at;
    int repeats = 0;
    bool recorded = false;  // QEMU has taken it; what follows is only verification
    uint64_t serial = 0;    // tells a verification whether its command is still the one in flight
  };

  void Send();
  void OnAnswer(const absl::Status& status, MonotonicTime written_at);
  void Verify();
  void OnVerified(uint64_t serial, const absl::StatusOr<MachineFacts>& facts);
  void Finish(const absl::Status& status);
  void Give(const Command& command, const absl::Status& status);
  [[nodiscard]] Nanos TimeLeft() const;

  void Read();
  void OnRead(const absl::StatusOr<MachineFacts>& facts);
  [[nodiscard]] bool Accept(const MachineFacts& facts);
  void ShowReading();
  void SchedulePoll();
  void SetRunning(bool running);
  void OnBalloonChange(GuestVisibleBytes actual);
  void OnReset(const Event& event);
  void SetLink(LinkState state, const absl::Status& why);

  asio::io_context& io_;
  const Clock& clock_;
  const QmpOptions options_;
  std::shared_ptr<Client> client_;
  std::shared_ptr<StatisticsReader> statistics_;
  asio::steady_timer poll_;
  size_t follow_up_ = kFollowUps.size();
  LinkState link_ = LinkState::kConnecting;
  absl::Status why_;
  MachineFacts facts_;  // valid while the link is ready
  ResidentReader resident_reader_{FileReader(options_.host_root)};
  Maybe<int64_t> resident_bytes_ = {};
  bool reading_ = false;
  bool read_again_ = false;
  int inconsistent_ = 0;
  std::optional<Command> in_flight_;
  std::optional<Command> waiting_;
  uint64_t last_serial_ = 0;
  std::optional<int64_t> last_reset_microseconds_;
  // What QEMU still says after a reset, until the driver of the new boot writes its own number; a driver that
  // finds nothing to do never does. The balloon of a guest that starts anew is empty.
  std::optional<GuestVisibleBytes> stale_actual_;
};

void QmpActuator::Core::Start() {
  if (client_) return;
  ClientOptions client_options;
  client_options.name = options_.name;
  client_options.socket_path = options_.socket_path;
  client_options.greeting_timeout = options_.greeting_timeout;
  client_options.negotiation_timeout = options_.command_timeout;
  client_options.backoff = options_.backoff;
  client_ = std::make_shared<Client>(io_, clock_, client_options, weak_from_this());
  if (options_.statistics_interval > Nanos{0}) {
    const auto sink = [self = weak_from_this()](const BalloonStatistics& statistics) {
      const auto core = self.lock();
      if (!core) return;
      const Sampled<BalloonStatistics> sample{statistics, core->clock_.Now()};
      core->gate.Call(&ActuatorObserver::OnStatistics, sample);
    };
    statistics_ = std::make_shared<StatisticsReader>(io_, client_, options_.statistics_interval,
                                                     options_.command_timeout, sink);
  }
  client_->Start();
}

void QmpActuator::Core::Stop() {
  poll_.cancel();
  if (statistics_) statistics_->End();
  if (client_) client_->Close();
}

// --- Commands ---

void QmpActuator::Core::Set(uint64_t id, BalloonBytes target) {
  Command command;
  command.id = id;
  command.target = target;
  command.started_at = clock_.Now();
  if (link_ != LinkState::kReady) {
    const std::string why = why_.ok() ? "the first reading is not there yet" : MessageOf(why_);
    return Give(command, absl::UnavailableError(StrCat("QEMU is not connected: ", why)));
  }
  if (!in_flight_) {
    in_flight_ = command;
    return Send();
  }
  if (waiting_) Give(*waiting_, absl::AbortedError("replaced by a newer target"));
  waiting_ = command;
  // Verification of the old target must not hold up the new one.
  if (in_flight_->recorded) Finish(absl::OkStatus());
}

Nanos QmpActuator::Core::TimeLeft() const {
  // At least a millisecond, so that a deadline that has passed fails as one and not as nonsense.
  return std::max(options_.command_timeout - (clock_.Now() - in_flight_->started_at), Milliseconds(1));
}

void QmpActuator::Core::Send() {
  Command& command = *in_flight_;
  command.base_bytes = facts_.base_bytes;
  command.recorded = false;
  command.serial = ++last_serial_;
  // QEMU refuses to leave the guest 0 bytes.
  if (command.target.count < 0 || command.target.count >= facts_.base_bytes) {
    return Finish(
        absl::InvalidArgumentError(StrCat("balloon target ", command.target.count,
                                          " is out of range, allowed 0..", facts_.base_bytes - 1, " bytes")));
  }
  const GuestVisibleBytes visible = ToGuestVisible(command.target, command.base_bytes);
  const absl::Status sent = client_->Call(
      "balloon", {{"value", visible.count}}, TimeLeft(),
      [self = weak_from_this()](const absl::StatusOr<json::value>& result, MonotonicTime written_at) {
        if (const auto core = self.lock()) core->OnAnswer(result.status(), written_at);
      });
  if (!sent.ok()) Finish(sent);
}

void QmpActuator::Core::OnAnswer(const absl::Status& status, MonotonicTime written_at) {
  if (in_flight_->written_at == MonotonicTime{}) in_flight_->written_at = written_at;
  if (!status.ok()) return Finish(status);
  in_flight_->recorded = true;
  // A target that waits makes this one's correctness moot; it will be verified in its place.
  if (waiting_) return Finish(status);
  Verify();
}

// QEMU's number counts from the boot memory and DIMMs of the moment. To read them first would put a round
// trip before every write; so they are read after it, and the number is written again if they have changed.
void QmpActuator::Core::Verify() {
  ReadMachine(
      *client_, TimeLeft(),
      [self = weak_from_this(), serial = in_flight_->serial](const absl::StatusOr<MachineFacts>& facts) {
        if (const auto core = self.lock()) core->OnVerified(serial, facts);
      });
}

void QmpActuator::Core::OnVerified(uint64_t serial, const absl::StatusOr<MachineFacts>& facts) {
  const bool current = in_flight_ && in_flight_->serial == serial;
  if (!facts.ok()) {
    client_->Drop(facts.status());
    if (current) Finish(facts.status());
    return;
  }
  // A reading that does not add up is repeated; that of an earlier command is as good as any.
  if (!Accept(*facts)) Read();
  if (!current) return;
  if (facts->base_bytes == in_flight_->base_bytes) return Finish(absl::OkStatus());
  facts_.base_bytes = facts->base_bytes;
  if (++in_flight_->repeats > kMaxRepeats) {
    return Finish(absl::AbortedError("the VM's memory devices keep changing"));
  }
  Send();
}

void QmpActuator::Core::Finish(const absl::Status& status) {
  const Command command = *std::exchange(in_flight_, std::nullopt);
  Give(command, status);
  if (link_ != LinkState::kReady) return;
  follow_up_ = 0;
  SchedulePoll();
  if (!waiting_) return;
  in_flight_ = std::exchange(waiting_, std::nullopt);
  // Its time begins now: the wait before was the other command's.
  in_flight_->started_at = clock_.Now();
  Send();
}

void QmpActuator::Core::Give(const Command& command, const absl::Status& status) {
  Receipt receipt;
  receipt.id = command.id;
  receipt.target = command.target;
  receipt.status = status;
  receipt.written_at = command.written_at;
  receipt.done_at = clock_.Now();
  gate.Call(&ActuatorObserver::OnReceipt, receipt);
}

// --- Readings ---

void QmpActuator::Core::Read() {
  read_again_ = reading_;
  if (reading_) return;
  reading_ = true;
  ReadMachine(*client_, options_.command_timeout,
              [self = weak_from_this()](const absl::StatusOr<MachineFacts>& facts) {
                if (const auto core = self.lock()) core->OnRead(facts);
              });
}

void QmpActuator::Core::OnRead(const absl::StatusOr<MachineFacts>& facts) {
  reading_ = false;
  if (!facts.ok()) return client_->Drop(facts.status());
  if (!Accept(*facts)) {
    if (++inconsistent_ <= kMaxRepeats) return Read();
    return client_->Drop(
        absl::InternalError(StrCat("query-balloon says ", facts->actual.count,
                                   " bytes, but boot memory and DIMMs are only ", facts->base_bytes)));
  }
  if (link_ != LinkState::kReady) {
    client_->ResetBackoff();
    SetLink(LinkState::kReady, absl::OkStatus());
    SchedulePoll();
    if (statistics_) statistics_->Begin();
  }
  if (read_again_) Read();
}

// False when the numbers do not add up, which happens when a DIMM comes between two answers.
bool QmpActuator::Core::Accept(const MachineFacts& facts) {
  if (facts.actual.count > facts.base_bytes) return false;
  inconsistent_ = 0;
  facts_ = facts;
  if (stale_actual_ == facts.actual) {
    facts_.actual = GuestVisibleBytes{facts.base_bytes};
  } else {
    stale_actual_.reset();
  }
  resident_bytes_ = resident_reader_.Read(*client_, facts_.other_bytes);
  ShowReading();
  return true;
}

void QmpActuator::Core::ShowReading() {
  Sampled<policy::VmmReading> reading;
  reading.value.base_bytes = facts_.base_bytes;
  reading.value.balloon_actual = ToBalloon(facts_.actual, facts_.base_bytes);
  reading.value.running = facts_.running;
  reading.value.resident_bytes = resident_bytes_;
  reading.at = clock_.Now();
  gate.Call(&ActuatorObserver::OnReading, reading);
}

void QmpActuator::Core::SchedulePoll() {
  const Nanos wait = follow_up_ < kFollowUps.size() ? kFollowUps[follow_up_] : options_.poll_interval;
  if (follow_up_ < kFollowUps.size()) ++follow_up_;
  poll_.expires_after(std::chrono::nanoseconds(wait.count));
  poll_.async_wait([self = weak_from_this()](const boost::system::error_code& error) {
    const auto core = self.lock();
    if (error || !core || core->link_ != LinkState::kReady) return;
    core->SchedulePoll();
    core->Read();
  });
}

// --- Connection and events ---

void QmpActuator::Core::OnUp(const Greeting&) {
  resident_reader_.Begin(*client_, options_.command_timeout);
  Read();
}

void QmpActuator::Core::OnDown(const absl::Status& why) {
  poll_.cancel();
  if (statistics_) statistics_->End();
  follow_up_ = kFollowUps.size();
  inconsistent_ = 0;
  stale_actual_.reset();  // whoever answers next may be another process
  reading_ = read_again_ = false;
  SetLink(LinkState::kFailed, why);
  if (waiting_) {
    const Command command = *std::exchange(waiting_, std::nullopt);
    Give(command, absl::UnavailableError(StrCat("QEMU is not connected: ", MessageOf(why))));
  }
}

void QmpActuator::Core::OnEvent(const Event& event) {
  if (link_ != LinkState::kReady) return;  // the first reading is on its way and says it all
  switch (event.kind) {
    case Event::Kind::kBalloonChange:
      return OnBalloonChange(event.actual);
    case Event::Kind::kStop:
      return SetRunning(false);
    case Event::Kind::kResume:
      return SetRunning(true);
    case Event::Kind::kReset:
      return OnReset(event);
    case Event::Kind::kShutdown:
      return gate.Call(&ActuatorObserver::OnLifecycle, Lifecycle::kShutdown);
    case Event::Kind::kMemoryDevices:
      return Read();
    case Event::Kind::kOther:
      return;
  }
}

void QmpActuator::Core::OnBalloonChange(GuestVisibleBytes actual) {
  if (reading_) read_again_ = true;  // the answer under way may be older than this event
  // More than there was: a DIMM has come.
  if (actual.count > facts_.base_bytes) return Read();
  stale_actual_.reset();
  facts_.actual = actual;
  ShowReading();
}

void QmpActuator::Core::SetRunning(bool running) {
  if (reading_) read_again_ = true;
  facts_.running = running;
  gate.Call(&ActuatorObserver::OnLifecycle, running ? Lifecycle::kResumed : Lifecycle::kPaused);
  ShowReading();
}

void QmpActuator::Core::OnReset(const Event& event) {
  const bool same = event.at_microseconds && last_reset_microseconds_ &&
                    std::abs(*event.at_microseconds - *last_reset_microseconds_) < kSameResetMicroseconds;
  if (!same) {
    last_reset_microseconds_ = event.at_microseconds;
    if (!stale_actual_) stale_actual_ = facts_.actual;
    gate.Call(&ActuatorObserver::OnLifecycle, Lifecycle::kReset);
  }
  Read();
}

void QmpActuator::Core::SetLink(LinkState state, const absl::Status& why) {
  if (link_ == state && why_ == why) return;
  link_ = state;
  why_ = why;
  gate.Call(&ActuatorObserver::OnLink, state, why);
}

// --- The actuator ---

QmpActuator::QmpActuator(asio::io_context& io, const Clock& clock, ActuatorObserver& observer,
                         QmpOptions options)
    : io_(io), core_(std::make_shared<Core>(io, clock, observer, std::move(options))) {}

QmpActuator::~QmpActuator() {
  core_->gate.Shut();
  // Keeps the core until the I/O thread has closed it; where that never runs again, the io_context frees it.
  asio::post(io_, [core = std::move(core_)] { core->Stop(); });
}

void QmpActuator::Start() {
  asio::post(io_, [core = core_] { core->Start(); });
}

void QmpActuator::SetBalloon(uint64_t id, BalloonBytes target) {
  asio::post(io_, [core = core_, id, target] { core->Set(id, target); });
}

}  // namespace ballast::vmm::qmp
