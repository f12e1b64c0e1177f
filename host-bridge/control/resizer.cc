#include "host-bridge/control/resizer.h"

#include <utility>

#include "common/base/size_text.h"
#include "common/base/text.h"

namespace ballast::control {
namespace {

// A balloon that moves at all moves within 100 ms, and some pages may take it seconds to find.
constexpr Nanos kBalloonPatience = Seconds(10);

}  // namespace

void Resizer::Begin(std::shared_ptr<ResizeTicket> ticket, policy::ResizePlan plan, MonotonicTime now) {
  ticket->Tell(plan);
  if (ticket->dry_run()) return;
  ticket_ = std::move(ticket);
  plan_ = std::move(plan);
  step_ = 0;
  begun_ = false;
  moved_at_ = now;
  told_size_ = plan_.from_bytes;
  refused_.clear();
}

void Resizer::BeginStep(const Hands& hands, MonotonicTime now) {
  const policy::ResizeStep& step = plan_.steps[step_];
  begun_ = true;
  moved_at_ = now;
  last_actual_ = step.from_bytes;
  if (step.kind == policy::ResizeKind::kBalloon) {
    hands.set_balloon({step.to_bytes});
  } else {
    ticket_of_plug_ = hands.set_plugged(step.to_bytes);
  }
}

std::optional<absl::Status> Resizer::BalloonStep(const policy::GuestFacts& facts, MonotonicTime now) {
  if (!facts.vmm) return std::nullopt;  // the loop ends it when that lasts
  const int64_t actual = facts.vmm->value.balloon_actual.count;
  const int64_t target = plan_.steps[step_].to_bytes;
  // The driver works in steps of a megabyte, and the VMM may round.
  if (facts.vmm->at > moved_at_ && std::abs(actual - target) <= kMiB) return absl::OkStatus();
  if (actual != last_actual_) {
    last_actual_ = actual;
    moved_at_ = now;
  }
  if (now - moved_at_ <= kBalloonPatience) return std::nullopt;
  return absl::DeadlineExceededError(StrCat("its balloon stands still at ", FormatSize(actual)));
}

std::optional<absl::Status> Resizer::PlugStep(const PlugDesk& desk,
                                              const std::optional<PlugDesk::Ended>& ended) {
  if (ended && ended->ticket == ticket_of_plug_) {
    const hotplug::Result& result = ended->result;
    refused_.insert(refused_.end(), result.refused.begin(), result.refused.end());
    return result.status;
  }
  if (desk.IsUnderWay(ticket_of_plug_)) return std::nullopt;
  // It waited for another change to end, and never began.
  if (!desk.devices()) return absl::UnavailableError("its VMM does not answer");
  return absl::AbortedError("the guest needs its memory");
}

void Resizer::Step(const policy::GuestFacts& facts, const PlugDesk& desk,
                   const std::optional<PlugDesk::Ended>& ended, const Hands& hands, MonotonicTime now) {
  if (ticket_ == nullptr) return;
  while (step_ < plan_.steps.size()) {
    const bool balloon = plan_.steps[step_].kind == policy::ResizeKind::kBalloon;
    if (!begun_) BeginStep(hands, now);
    const std::optional<absl::Status> done = balloon ? BalloonStep(facts, now) : PlugStep(desk, ended);
    if (!done) break;
    if (!done->ok()) return Finish(*done, facts);
    ++step_;
    begun_ = false;
  }
  if (step_ == plan_.steps.size()) return Finish(absl::OkStatus(), facts);
  const int64_t size = facts.vmm ? policy::SizeOf(facts.vmm->value) : told_size_;
  if (size == told_size_) return;
  told_size_ = size;
  ticket_->Tell(ResizeProgress{step_, size});
}

void Resizer::End(const absl::Status& why, const policy::GuestFacts& facts) {
  if (ticket_ != nullptr) Finish(why, facts);
}

void Resizer::Finish(absl::Status status, const policy::GuestFacts& facts) {
  const int64_t size = facts.vmm ? policy::SizeOf(facts.vmm->value) : told_size_;
  ticket_->Tell(ResizeResult{size, std::move(status), std::exchange(refused_, {})});
  ticket_.reset();
}

}  // namespace ballast::control
