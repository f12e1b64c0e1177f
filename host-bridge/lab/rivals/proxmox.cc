#include "host-bridge/lab/rivals/proxmox.h"

#include <algorithm>
#include <vector>

#include "host-bridge/lab/rivals/sizes.h"

namespace ballast::sim {
namespace {

constexpr int64_t kTargetPercent = 80;
constexpr int64_t kDeadBand = 10 * kMiB;
constexpr int64_t kMostChange = 100 * kMiB;
constexpr int64_t kSharesPerWeight = 10;
constexpr int kMostRounds = 100;  // each settles a guest or moves one; a bound all the same

struct Vm {
  size_t index = 0;
  int64_t current = 0;  // actual size
  int64_t least = 0;
  int64_t most = 0;
  int64_t shares = 0;
  bool spare = false;
  bool done = false;   // of the present list
  int64_t wanted = 0;  // new size
};

// One round over the guests of a list that are not done; returns the bytes it moved, and whether another may
// move more.
struct Round {
  int64_t changed = 0;
  bool again = false;
};

Round ShareOut(std::vector<Vm*>& list, int64_t rest, bool grow) {
  int64_t pool = rest;
  int64_t shares = 0;
  for (const Vm* vm : list) {
    if (vm->done) continue;
    pool += vm->wanted - vm->least;
    shares += vm->shares;
  }
  Round round;
  for (Vm* vm : list) {
    if (vm->done) continue;
    const int64_t desired = std::clamp(vm->least + MulDiv(pool, vm->shares, shares), vm->least, vm->most);
    int64_t wanted = vm->current;
    if (grow && desired > vm->current) {
      wanted = std::min(vm->current + kMostChange, desired);
    } else if (desired < vm->current) {
      wanted = std::max(vm->current - kMostChange, desired);
    } else {
      vm->done = true;
      continue;
    }
    if (wanted == vm->wanted) continue;
    round.changed += wanted - vm->wanted;
    round.again = true;
    vm->wanted = wanted;
  }
  return round;
}

// Moves `goal` bytes over the list, as far as its guests can; returns what is left.
int64_t Change(std::vector<Vm*> list, int64_t goal) {
  for (Vm* vm : list) vm->done = false;
  int64_t rest = goal;
  for (int i = 0; i < kMostRounds && rest != 0; ++i) {
    const Round round = ShareOut(list, rest, goal > 0);
    rest -= round.changed;
    if (!round.again) break;
  }
  return rest;
}

std::vector<Vm> List(const WorldSight& sight) {
  std::vector<Vm> vms;
  for (size_t i = 0; i < sight.guests.size(); ++i) {
    const GuestSight& guest = sight.guests[i];
    if (!IsDriven(guest)) continue;
    Vm vm{.index = i, .current = SizeBytes(guest), .least = PlanFloor(*guest.plan), .most = BootBytes(guest)};
    if (vm.current <= 0 || vm.least <= 0) continue;
    vm.shares = std::clamp(guest.plan->limits.weight, 1, 10'000) * kSharesPerWeight;
    vm.spare = guest.free_bytes > vm.least / 4 && vm.current >= vm.least;
    vm.wanted = vm.current;
    vms.push_back(vm);
  }
  return vms;
}

class Proxmox final : public Controller {
 public:
  Nanos period() const override { return Seconds(10); }

  void Look(const WorldSight& sight, std::vector<Command>& commands) override {
    const HostSight& host = sight.host;
    const int64_t used = host.total_bytes - host.available_bytes;
    const int64_t goal = MulDiv(host.total_bytes, kTargetPercent, 100) - used;
    std::vector<Vm> vms = List(sight);
    Balance(goal, vms);
    rest_ = true;
    for (const Vm& vm : vms) {
      if (vm.wanted == vm.current) continue;
      CommandSize(sight, vm.index, vm.wanted, commands);
      rest_ = false;
    }
  }

  bool at_rest() const override { return rest_; }

 private:
  static void Balance(int64_t goal, std::vector<Vm>& vms) {
    if (goal >= -kDeadBand && goal <= kDeadBand) return;
    std::vector<Vm*> all;
    std::vector<Vm*> first;
    for (Vm& vm : vms) {
      all.push_back(&vm);
      if (vm.spare == (goal < 0)) first.push_back(&vm);
    }
    const int64_t rest = Change(first, goal);
    const bool progress = goal > 0 ? rest < goal : rest > goal;
    if (!progress) Change(all, rest);
  }

  bool rest_ = true;
};

}  // namespace

std::unique_ptr<Controller> MakeProxmox(const WorldPlan&) { return std::make_unique<Proxmox>(); }

}  // namespace ballast::sim
