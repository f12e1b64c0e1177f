#include "host-bridge/lab/rivals/nobody.h"

#include <algorithm>
#include <vector>

#include "host-bridge/lab/rivals/sizes.h"

namespace ballast::sim {
namespace {

class FprOnly final : public Controller {
 public:
  // Nobody looks; the world needs some number.
  Nanos period() const override { return Seconds(60); }
  void Look(const WorldSight&, std::vector<Command>&) override {}
};

class DeflateOnOomOnly final : public Controller {
 public:
  explicit DeflateOnOomOnly(size_t guests) : sent_(guests, false) {}

  Nanos period() const override { return Seconds(1); }

  void Look(const WorldSight& sight, std::vector<Command>& commands) override {
    for (size_t i = 0; i < sight.guests.size() && i < sent_.size(); ++i) {
      if (IsNewVmm(sight.guests[i])) sent_[i] = false;
      if (sent_[i] || !IsDriven(sight.guests[i])) continue;
      CommandSize(sight, i, PlanFloor(*sight.guests[i].plan), commands);
      sent_[i] = true;
    }
  }

  // A guest that starts later is a change of its own.
  bool at_rest() const override { return true; }

 private:
  std::vector<bool> sent_;
};

}  // namespace

std::unique_ptr<Controller> MakeFprOnly(const WorldPlan&) { return std::make_unique<FprOnly>(); }

std::unique_ptr<Controller> MakeDeflateOnOomOnly(const WorldPlan& plan) {
  return std::make_unique<DeflateOnOomOnly>(plan.guests.size());
}

}  // namespace ballast::sim
