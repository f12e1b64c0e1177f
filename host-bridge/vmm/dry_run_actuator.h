// `--dry-run`: reads the real VM and changes nothing. The policy stays as it is; the hands are taken away.
#pragma once

#include <functional>
#include <memory>

#include "common/os/clock.h"
#include "host-bridge/vmm/actuator.h"
#include "host-bridge/vmm/observer_gate.h"

namespace ballast::vmm {

class DryRunActuator final : public Actuator {
 public:
  // Runs a task later, on the thread where `inner` calls its observer. A task may be dropped at the end.
  using Poster = std::function<void(std::function<void()>)>;

  // `inner` reports its readings to `observer` directly; receipts come from here: OK, dry_run, never written.
  // `clock` and `observer` outlive this object.
  DryRunActuator(std::unique_ptr<Actuator> inner, ActuatorObserver& observer, const Clock& clock,
                 Poster post);
  ~DryRunActuator() override;
  DryRunActuator(const DryRunActuator&) = delete;
  DryRunActuator& operator=(const DryRunActuator&) = delete;

  void Start() override;
  void SetBalloon(uint64_t id, BalloonBytes target) override;

 private:
  std::unique_ptr<Actuator> inner_;
  std::shared_ptr<ObserverGate<ActuatorObserver>> gate_;
  const Clock& clock_;
  Poster post_;
};

}  // namespace ballast::vmm
