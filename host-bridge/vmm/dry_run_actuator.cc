#include "host-bridge/vmm/dry_run_actuator.h"

#include <utility>

namespace ballast::vmm {

DryRunActuator::DryRunActuator(std::unique_ptr<Actuator> inner, ActuatorObserver& observer,
                               const Clock& clock, Poster post)
    : inner_(std::move(inner)),
      gate_(std::make_shared<ObserverGate<ActuatorObserver>>(&observer)),
      clock_(clock),
      post_(std::move(post)) {}

DryRunActuator::~DryRunActuator() { gate_->Shut(); }

void DryRunActuator::Start() { inner_->Start(); }

void DryRunActuator::SetBalloon(uint64_t id, BalloonBytes target) {
  Receipt receipt;
  receipt.id = id;
  receipt.target = target;
  receipt.done_at = clock_.Now();
  receipt.dry_run = true;
  post_([gate = gate_, receipt] { gate->Call(&ActuatorObserver::OnReceipt, receipt); });
}

}  // namespace ballast::vmm
