#include "host-bridge/lab/rivals/vmmms.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "host-bridge/lab/rivals/psi_window.h"
#include "host-bridge/lab/rivals/sizes.h"
#include "host-bridge/lab/rivals/vmmms_ladder.h"

namespace ballast::sim {
namespace {

constexpr int64_t kAsk = 100 * kMiB;
constexpr int64_t kMargin = 520;  // permyriad of the host's memory
constexpr Nanos kHostEvery = Seconds(1);
constexpr Nanos kWatchEvery = Seconds(5);
constexpr Nanos kWatchLeast = Seconds(4);
constexpr int64_t kStallBytesPerSecond = 15 * kMiB;
constexpr int64_t kStallBackoff = 128 * kMiB;
constexpr int64_t kSlack = kMiB;
constexpr int64_t kMostDoubled = 64 * kGiB;  // a bound for the arithmetic

struct GuestLevel {
  Nanos stalled;
  Rung rung;
  Nanos cooldown;
};
constexpr std::array<GuestLevel, 3> kGuestLevels = {{
    {Milliseconds(600), Rung::kFocusedApp, Seconds(1)},
    {Milliseconds(400), Rung::kPerceptibleApp, Seconds(2)},
    {Milliseconds(200), Rung::kCachedApp, Seconds(5)},
}};

// One guest's balloon and its arbiter.
struct Vm {
  PsiWindow psi;
  MonotonicTime told_at;  // the report last believed
  int32_t told_permyriad = 0;
  std::array<std::optional<MonotonicTime>, 3> asked_at;  // by guest level
  Ladder ladder;
  int64_t target = 0;
  // The watch over an inflation.
  std::optional<MonotonicTime> watch_at;
  MonotonicTime since;
  int64_t since_actual = 0;
};

// One guest at one look.
struct Turn {
  const WorldSight& sight;
  size_t index;
  Vm& vm;
  std::vector<Command>& commands;

  const GuestSight& guest() const { return sight.guests[index]; }
  int64_t boot() const { return BootBytes(guest()); }
  int64_t actual() const { return boot() - SizeBytes(guest()); }
};

bool Arrived(const Turn& turn) { return turn.vm.target - turn.actual() < kSlack; }

void Resize(Turn turn, int64_t delta) {
  const int64_t actual = turn.actual();
  if (Arrived(turn)) {
    turn.vm.since_actual = turn.vm.target;
    turn.vm.since = turn.sight.now;
  }
  const int64_t base = delta > 0 ? std::max(actual, turn.vm.target) : actual;
  const int64_t most = std::max(turn.boot() - PlanFloor(*turn.guest().plan), base);
  const int64_t target = std::clamp<int64_t>(base + delta, 0, most);
  if (target == actual || target == turn.vm.target) return;
  turn.vm.target = target;
  CommandSize(turn.sight, turn.index, turn.boot() - target, turn.commands);
  if (target > actual && !turn.vm.watch_at) turn.vm.watch_at = turn.sight.now + kWatchEvery;
}

void Request(Turn turn, Direction direction, Rung rung, int64_t bytes) {
  if (!turn.vm.ladder.Try(direction, rung, turn.sight.now)) return;
  Resize(turn, direction == Direction::kInflate ? bytes : -std::min(bytes, turn.vm.target));
}

void Watch(Turn turn) {
  Vm& vm = turn.vm;
  const MonotonicTime now = turn.sight.now;
  if (!vm.watch_at || now < *vm.watch_at) return;
  if (Arrived(turn)) {
    vm.watch_at.reset();
    return;
  }
  const Nanos elapsed = now - vm.since;
  const int64_t moved = turn.actual() - vm.since_actual;
  if (elapsed > kWatchLeast && moved < MulDiv(kStallBytesPerSecond, elapsed.count, Seconds(1).count)) {
    vm.watch_at.reset();
    vm.ladder.Record(Direction::kDeflate, Rung::kBalloonStall, now);
    Resize(turn, -kStallBackoff);
    return;
  }
  vm.since = now;
  vm.since_actual = turn.actual();
  vm.watch_at = now + kWatchEvery;
}

// Stalls until now: each report's share holds until the next one, and no longer than a window.
Nanos Feel(Turn turn) {
  Vm& vm = turn.vm;
  const MonotonicTime now = turn.sight.now;
  const auto pass = [&vm](MonotonicTime until) {
    vm.psi.Add(std::min(until, vm.told_at + PsiWindow::kLength), vm.told_permyriad);
    return vm.psi.Add(until, 0);
  };
  const auto& report = turn.guest().report;
  if (report && report->at > vm.told_at && report->at <= now) {
    pass(report->at);
    vm.told_at = report->at;
    vm.told_permyriad = report->value.stall_permyriad;
  }
  return pass(now);
}

// The guest's client: one request a look, at the most urgent level that its PSI reached and that is not
// cooling.
void Listen(Turn turn) {
  const Nanos stalled = Feel(turn);
  for (size_t i = 0; i < kGuestLevels.size(); ++i) {
    const GuestLevel& level = kGuestLevels[i];
    std::optional<MonotonicTime>& asked_at = turn.vm.asked_at[i];
    if (stalled < level.stalled) continue;
    if (asked_at && turn.sight.now - *asked_at < level.cooldown) continue;
    asked_at = turn.sight.now;
    Request(turn, Direction::kDeflate, level.rung, kAsk);
    return;
  }
}

class Vmmms final : public Controller {
 public:
  explicit Vmmms(size_t guests) : vms_(guests) {}

  Nanos period() const override { return kHostEvery; }
  // PSI triggers wake the guests' clients.
  bool event_driven() const override { return true; }

  void Look(const WorldSight& sight, std::vector<Command>& commands) override {
    rest_ = true;
    std::vector<size_t> driven;
    for (size_t i = 0; i < sight.guests.size() && i < vms_.size(); ++i) {
      if (IsNewVmm(sight.guests[i])) vms_[i] = {};
      if (!IsDriven(sight.guests[i])) continue;
      driven.push_back(i);
      const Turn turn{sight, i, vms_[i], commands};
      Listen(turn);
      Watch(turn);
      if (!vms_[i].psi.quiet() || vms_[i].watch_at) rest_ = false;
    }
    if (host_at_ && sight.now - *host_at_ < kHostEvery) return;
    host_at_ = sight.now;
    AskForHost(sight, driven, commands);
  }

  bool at_rest() const override { return rest_; }

 private:
  void AskForHost(const WorldSight& sight, const std::vector<size_t>& driven,
                  std::vector<Command>& commands) {
    const HostSight& host = sight.host;
    const int64_t margin = MulDiv(host.total_bytes, kMargin, 10'000);
    int64_t bytes = std::clamp<int64_t>(margin - host.available_bytes, 0, margin);
    Rung rung = Rung::kCachedTab;
    const bool critical = host.full_permyriad >= 5000;
    criticals_ = critical ? criticals_ + 1 : 0;
    if (critical) {
      if (criticals_ >= 3) doubled_ = std::min(doubled_ * 2, kMostDoubled);
      bytes = std::max(bytes, doubled_);
      rung = Rung::kFocusedTab;
    } else {
      doubled_ = kAsk;
      if (host.full_permyriad >= 500) {
        bytes = std::max(bytes, kAsk);
        rung = Rung::kPerceptibleTab;
      } else if (host.some_permyriad >= 2000) {
        bytes = std::max(bytes, 10 * kMiB);
      }
    }
    if (bytes == 0 || driven.empty()) return;
    rest_ = false;
    for (const size_t i : driven) {
      Request({sight, i, vms_[i], commands}, Direction::kInflate, rung, bytes / std::ssize(driven));
    }
  }

  bool rest_ = true;
  std::optional<MonotonicTime> host_at_;
  int criticals_ = 0;
  int64_t doubled_ = kAsk;
  std::vector<Vm> vms_;
};

}  // namespace

std::unique_ptr<Controller> MakeVmmms(const WorldPlan& plan) {
  return std::make_unique<Vmmms>(plan.guests.size());
}

}  // namespace ballast::sim
