#include "host-bridge/vmm/qmp/machine_watch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "common/base/text.h"
#include "host-bridge/vmm/plug_reading.h"

namespace ballast::vmm::qmp {
namespace {

namespace json = boost::json;

// After a command: a look at 50 ms, 200 ms and 1 s, then at the poll's pace. A balloon moves about 1 GiB/s.
constexpr std::array<Nanos, 3> kFollowUps = {Milliseconds(50), Milliseconds(150), Milliseconds(800)};
// One reset of the VM gives two RESET events, measured 23 ms apart.
constexpr int64_t kSameResetMicroseconds = 1'000'000;
// How often a reading is repeated because DIMMs come and go meanwhile.
constexpr int kMaxRepeats = 3;
// BALLOON_CHANGE is kept back for up to a second, and its number was made with the base of then.
constexpr Nanos kEventsLag = Milliseconds(1500);

absl::Status Inconsistent(const MachineFacts& facts) {
  return absl::InternalError(StrCat("query-balloon says ", facts.actual.count,
                                    " bytes, but boot memory and DIMMs are only ", facts.base_bytes));
}

bool HasSameDevices(const DeviceReading& a, const DeviceReading& b) {
  return std::equal(a.devices.begin(), a.devices.end(), b.devices.begin(), b.devices.end(),
                    [](const MemoryDevice& x, const MemoryDevice& y) { return x.id == y.id; });
}

}  // namespace

MachineWatch::MachineWatch(std::shared_ptr<VmContext> vm, std::function<void()> on_ready)
    : vm_(std::move(vm)),
      on_ready_(std::move(on_ready)),
      poll_(vm_->io),
      follow_up_(kFollowUps.size()),
      limits_(std::make_shared<std::optional<MemoryLimits>>()),
      resident_reader_(FileReader(vm_->options.host_root)) {}

absl::Status MachineWatch::WhyNotReady() const {
  if (IsReady()) return absl::OkStatus();
  const std::string why = why_.ok() ? "the first reading is not there yet" : MessageOf(why_);
  return absl::UnavailableError(StrCat("QEMU is not connected: ", why));
}

// --- Readings ---

void MachineWatch::Begin() {
  resident_reader_.Begin(*vm_->client, vm_->options.command_timeout);
  limits_ = std::make_shared<std::optional<MemoryLimits>>();
  // Refused by QEMU before 7.1, or not sent: then nobody knows the slots, and no DIMM can be plugged. Answers
  // come in order, so this one is there before the first reading.
  const auto take = [limits = limits_](const absl::StatusOr<json::value>& result, MonotonicTime) {
    const auto parsed = result.ok() ? ParseMemoryLimits(*result) : result.status();
    if (parsed.ok()) *limits = *parsed;
  };
  vm_->client
      ->Call("qom-get", {{"path", "/machine"}, {"property", "memory"}}, vm_->options.command_timeout, take)
      .IgnoreError();
  Read(Depth::kAndBackends);
}

void MachineWatch::Read(Depth depth) {
  if (reading_) return ReadAgain(depth);
  read_again_.reset();
  reading_ = true;
  ReadMachine(*vm_->client, depth, vm_->options.command_timeout,
              [self = weak_from_this(), began = Now()](const absl::StatusOr<MachineFacts>& facts) {
                if (const auto watch = self.lock()) watch->OnRead(began, facts);
              });
}

void MachineWatch::ReadAgain(Depth depth) { read_again_ = std::max(depth, read_again_.value_or(depth)); }

void MachineWatch::OnRead(const Began& began, const absl::StatusOr<MachineFacts>& facts) {
  reading_ = false;
  if (!facts.ok()) return vm_->client->Drop(facts.status());
  const Depth depth = facts->backends ? Depth::kAndBackends : Depth::kNumbers;
  if (began.epoch != epoch_) return Read(depth);
  if (!Accept(*facts, began)) {
    if (++inconsistent_ <= kMaxRepeats) return Read(depth);
    return vm_->client->Drop(Inconsistent(*facts));
  }
  if (!IsReady()) {
    vm_->client->ResetBackoff();
    SetLink(LinkState::kReady, absl::OkStatus());
    SchedulePoll();
    on_ready_();
  }
  if (read_again_) Read(*read_again_);
}

void MachineWatch::ReadNow(Depth depth, Nanos timeout, Then then) {
  const Urgent reading{depth, timeout, std::move(then), Now()};
  ReadMachine(*vm_->client, depth, timeout,
              [self = weak_from_this(), reading](const absl::StatusOr<MachineFacts>& facts) {
                if (const auto watch = self.lock()) watch->OnReadNow(reading, facts);
              });
}

void MachineWatch::OnReadNow(const Urgent& reading, const absl::StatusOr<MachineFacts>& facts) {
  absl::Status status = facts.status();
  if (status.ok() && reading.began.epoch == epoch_) {
    if (Accept(*facts, reading.began)) return reading.then(status);
    if (++inconsistent_ > kMaxRepeats) status = Inconsistent(*facts);
  }
  if (status.ok()) return ReadNow(reading.depth, reading.timeout, reading.then);
  vm_->client->Drop(status);
  reading.then(status);
}

// False when the numbers do not add up, which happens when a DIMM comes between two answers.
bool MachineWatch::Accept(const MachineFacts& facts, const Began& began) {
  if (facts.actual.count > facts.base_bytes) return false;
  inconsistent_ = 0;
  const bool moved = facts.base_bytes != facts_.base_bytes;
  if (IsReady() && moved) base_moved_at_ = vm_->clock.Now();
  // An event overtook one of the answers. Which is older is not known; the event is never older than what was
  // known before, whereas the answer, told after it, would look like a balloon that shrinks.
  const GuestVisibleBytes told = facts_.actual;
  const bool overtaken = IsReady() && !moved && began.balloon_changes != balloon_changes_;
  auto backends = facts.backends ? facts.backends : std::move(facts_.backends);
  facts_ = facts;
  facts_.backends = std::move(backends);
  if (overtaken) facts_.actual = told;
  const BalloonBytes said = ToBalloon(facts_.actual, facts_.base_bytes);
  if (std::exchange(stale_unread_, false)) stale_balloon_ = said;
  if (stale_balloon_ == said) {
    facts_.actual = GuestVisibleBytes{facts.base_bytes};
  } else {
    stale_balloon_.reset();
  }
  resident_bytes_ = resident_reader_.Read(*vm_->client, facts_.other_bytes);
  MakeDevices();
  ShowReading();
  ShowDevices(facts.backends.has_value());
  return true;
}

void MachineWatch::MakeDevices() {
  devices_ = DevicesOf(facts_, *limits_);
  devices_.dimm_unit_bytes = dimm_unit_bytes_;
}

void MachineWatch::SetDimmUnit(int64_t bytes) {
  if (bytes == dimm_unit_bytes_) return;
  dimm_unit_bytes_ = bytes;
  if (!IsReady()) return;
  MakeDevices();
  ShowReading();
  ShowDevices(/*backends_read=*/true);
}

void MachineWatch::ShowReading() {
  Sampled<policy::VmmReading> reading;
  reading.value.base_bytes = facts_.base_bytes;
  reading.value.balloon_actual = ToBalloon(facts_.actual, facts_.base_bytes);
  reading.value.running = facts_.running;
  reading.value.resident_bytes = resident_bytes_;
  reading.value.plug = PlugReadingOf(devices_);
  reading.at = vm_->clock.Now();
  vm_->gate.Call(&ActuatorObserver::OnReading, reading);
}

// On change, and once after each connect.
void MachineWatch::ShowDevices(bool backends_read) {
  if (shown_ == devices_) return;
  // A device came or went, so backends may have.
  if (!backends_read && !(shown_ && HasSameDevices(*shown_, devices_))) return Read(Depth::kAndBackends);
  shown_ = devices_;
  vm_->device_gate.Call(&DeviceObserver::OnDevices, Sampled<DeviceReading>{devices_, vm_->clock.Now()});
}

void MachineWatch::AddToBase(int64_t bytes) {
  facts_.base_bytes += bytes;
  facts_.actual.count += bytes;  // the balloon holds what it held
  base_moved_at_ = vm_->clock.Now();
}

void MachineWatch::FollowUp() {
  follow_up_ = 0;
  SchedulePoll();
}

void MachineWatch::SchedulePoll() {
  const Nanos wait = follow_up_ < kFollowUps.size() ? kFollowUps[follow_up_] : vm_->options.poll_interval;
  if (follow_up_ < kFollowUps.size()) ++follow_up_;
  poll_.expires_after(std::chrono::nanoseconds(wait.count));
  poll_.async_wait([self = weak_from_this()](const boost::system::error_code& error) {
    const auto watch = self.lock();
    if (error || !watch || !watch->IsReady()) return;
    watch->SchedulePoll();
    watch->Read(Depth::kNumbers);
  });
}

// --- Connection and events ---

void MachineWatch::End(const absl::Status& why) {
  poll_.cancel();
  follow_up_ = kFollowUps.size();
  inconsistent_ = 0;
  stale_balloon_.reset();  // whoever answers next may be another process
  stale_unread_ = false;
  reset_at_.reset();
  base_moved_at_.reset();
  shown_.reset();
  reading_ = false;
  read_again_.reset();
  SetLink(LinkState::kFailed, why);
}

void MachineWatch::OnEvent(const Event& event) {
  if (!IsReady()) return;  // the first reading is on its way and says it all
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
      return vm_->gate.Call(&ActuatorObserver::OnLifecycle, Lifecycle::kShutdown);
    case Event::Kind::kDeviceDeleted:
      ++epoch_;
      base_moved_at_ = vm_->clock.Now();
      return Read(Depth::kAndBackends);
    case Event::Kind::kGuestAnswer:
      return OnGuestAnswer(event.answer);
    case Event::Kind::kUnplugError:
    case Event::Kind::kDeviceSize:
      return Read(Depth::kNumbers);
    case Event::Kind::kOther:
      return;
  }
}

// A guest may say what it likes as often as it likes; only a device that is not known yet is news.
void MachineWatch::OnGuestAnswer(const GuestAnswer& answer) {
  const auto& known = devices_.devices;
  const bool is_new = std::none_of(known.begin(), known.end(),
                                   [&](const MemoryDevice& device) { return device.id == answer.device; });
  if (is_new && !answer.device.empty()) Read(Depth::kNumbers);
}

void MachineWatch::OnBalloonChange(GuestVisibleBytes actual) {
  if (reading_) ReadAgain(Depth::kNumbers);  // the answer under way may be older than this event
  // More than there was: a DIMM has come. Or one came or went so lately that this number may count from
  // another base than ours; or the guest was reset, and it may be of the boot before.
  const auto is_recent = [now = vm_->clock.Now()](const std::optional<MonotonicTime>& at) {
    return at && now - *at < kEventsLag;
  };
  const bool moved = is_recent(base_moved_at_) || is_recent(reset_at_);
  if (moved || actual.count > facts_.base_bytes) return Read(Depth::kNumbers);
  stale_balloon_.reset();
  ++balloon_changes_;
  facts_.actual = actual;
  ShowReading();
}

void MachineWatch::SetRunning(bool running) {
  if (reading_) ReadAgain(Depth::kNumbers);  // the answer under way may be older than this event
  facts_.running = running;
  vm_->gate.Call(&ActuatorObserver::OnLifecycle, running ? Lifecycle::kResumed : Lifecycle::kPaused);
  ShowReading();
}

void MachineWatch::OnReset(const Event& event) {
  const bool same = event.at_microseconds && last_reset_microseconds_ &&
                    std::abs(*event.at_microseconds - *last_reset_microseconds_) < kSameResetMicroseconds;
  if (!same) {
    last_reset_microseconds_ = event.at_microseconds;
    ++epoch_;
    stale_unread_ = true;
    reset_at_ = vm_->clock.Now();
    vm_->gate.Call(&ActuatorObserver::OnLifecycle, Lifecycle::kReset);
  }
  Read(Depth::kNumbers);
}

void MachineWatch::SetLink(LinkState state, const absl::Status& why) {
  if (link_ == state && why_ == why) return;
  link_ = state;
  why_ = why;
  vm_->gate.Call(&ActuatorObserver::OnLink, state, why);
}

}  // namespace ballast::vmm::qmp
