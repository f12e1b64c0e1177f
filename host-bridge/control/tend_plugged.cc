// The control loop's part on plugged memory, operators' resizes and what they may see.
#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "common/base/size_text.h"
#include "common/base/text.h"
#include "host-bridge/control/control_loop.h"
#include "host-bridge/hotplug/shrink_task.h"

namespace ballast::control {
namespace {

// Blocks that are named in the log; the API's answer has more.
constexpr size_t kMostNamed = 4;

// A name that a caller has made up: it may hold anything, and be of any length.
std::string Shown(const std::string& name) {
  constexpr size_t kMost = 64;
  return StrCat(absl::CHexEscape(name.substr(0, kMost)), name.size() > kMost ? "..." : "");
}

}  // namespace

void ControlLoop::TendPlugged(size_t index, MonotonicTime now) {
  Guest& guest = guests_[index];
  policy::GuestFacts& facts = snapshot_.guests[index];
  const bool was_busy = guest.desk.IsBusy();
  const std::optional<PlugDesk::Ended> ended = guest.desk.Step(now);
  guest.changed |= was_busy != guest.desk.IsBusy() || ended;
  if (ended) NoteEnded(index, *ended);
  if (guest.resizer.IsBusy()) {
    const Resizer::Hands hands = HandsOf(index, now);
    guest.resizer.Step(facts, guest.desk, ended, hands, now);
    // Its first orders need not wait for the next round; and it may be over without any.
    if (guest.desk.IsBusy() && !was_busy) {
      if (const auto at_once = guest.desk.Step(now)) {
        NoteEnded(index, *at_once);
        guest.resizer.Step(facts, guest.desk, at_once, hands, now);
      }
    }
  }
  SetMode(index);
}

Resizer::Hands ControlLoop::HandsOf(size_t index, MonotonicTime now) {
  Guest& guest = guests_[index];
  policy::GuestFacts& facts = snapshot_.guests[index];
  const auto set_balloon = [this, index, now, &guest, &facts](BalloonBytes target) {
    policy::Decision decision;
    decision.guest = index;
    decision.target = target;
    const uint64_t id = Command(guest, decision);
    policy::NoteBalloonCommand(facts, target, now, facts.history);
    const std::string text =
        StrCat("balloon to ", FormatSize(target.count), ", because the operator wants it");
    Remember(guest, StrCat(guest.ports.limits.name, ": ", text));
    Say(LogLevel::kInfo, guest, StrCat(text, " [command ", id, "]"));
  };
  const auto set_plugged = [now, &guest, &facts](int64_t requested) {
    const uint64_t ticket = guest.desk.Want(requested, now);
    if (ticket == 0) return ticket;
    policy::NotePlugCommand(facts, requested, now, facts.history);
    guest.operators = {ticket, requested};
    return ticket;
  };
  return {set_balloon, set_plugged};
}

void ControlLoop::NoteEnded(size_t index, const PlugDesk::Ended& ended) {
  Guest& guest = guests_[index];
  LogPlugged(guest, ended.result);
  if (!guest.operators || guest.operators->ticket != ended.ticket) return;
  if (!ended.result.status.ok())
    policy::ForgetPlugCommand(guest.operators->target_bytes, snapshot_.guests[index].history);
  guest.operators.reset();
}

void ControlLoop::CallOffResize(Guest& guest, const policy::GuestFacts& facts,
                                policy::GuestHistory& history) {
  if (!guest.resizer.IsBusy()) return;
  if (guest.operators && guest.desk.IsUnderWay(guest.operators->ticket)) {
    guest.desk.CallOff();
    policy::ForgetPlugCommand(guest.operators->target_bytes, history);
  }
  guest.resizer.End(absl::AbortedError("the guest needs its memory"), facts);
}

void ControlLoop::SetMode(size_t index) {
  const Guest& guest = guests_[index];
  policy::Mode& mode = snapshot_.guests[index].limits.mode;
  mode = guest.resizer.IsBusy() ? std::min(guest.mode, policy::Mode::kGuard) : guest.mode;
}

void ControlLoop::LogPlugged(const Guest& guest, const hotplug::Result& result) {
  std::string text =
      StrCat("plugged memory: ", FormatSize(result.from_bytes), " -> ", FormatSize(result.reached_bytes));
  if (result.status.ok()) return Say(LogLevel::kInfo, guest, text);
  text += StrCat(" instead of ", FormatSize(result.target_bytes), ": ", MessageOf(result.status));
  for (size_t i = 0; i < std::min(result.refused.size(), kMostNamed); ++i) {
    const observe::BlockRefusal& refused = result.refused[i];
    // As the guest's kernel writes it, and to the byte: it is to be found again.
    text += absl::StrFormat("; block at 0x%x: %s", refused.address, refused.reason);
  }
  if (result.refused.size() > kMostNamed)
    text += StrCat("; and ", result.refused.size() - kMostNamed, " more blocks");
  Say(LogLevel::kWarning, guest, text);
}

void ControlLoop::TakeResizes(MonotonicTime now) {
  if (settings_.resizes == nullptr) return;
  for (std::shared_ptr<ResizeTicket>& ticket : settings_.resizes->Take()) BeginResize(std::move(ticket), now);
}

void ControlLoop::BeginResize(std::shared_ptr<ResizeTicket> ticket, MonotonicTime now) {
  const auto refuse = [&](const absl::Status& why) { ticket->Tell(ResizeRefusal{why}); };
  std::string names;
  size_t index = guests_.size();
  for (size_t i = 0; i < guests_.size(); ++i) {
    const std::string& name = guests_[i].ports.limits.name;
    if (name == ticket->guest()) index = i;
    names += StrCat(names.empty() ? "" : ", ", name);
  }
  if (index == guests_.size())
    return refuse(absl::NotFoundError(StrCat("no guest '", Shown(ticket->guest()), "'; there are: ", names)));
  Guest& guest = guests_[index];
  if (guest.resizer.IsBusy()) return refuse(absl::AbortedError("another resize of this guest is under way"));
  if (guest.desk.IsBusy() && !ticket->dry_run())
    return refuse(absl::AbortedError("memory of this guest is being plugged or unplugged; try again soon"));
  if (settings_.dry_run && !ticket->dry_run())
    return refuse(absl::FailedPreconditionError("the bridge only shows what it would do (--dry-run)"));
  policy::Unpluggable unpluggable;
  if (const auto& devices = guest.desk.devices())
    unpluggable = [&](int64_t wanted) { return hotplug::CanLeave(devices->value, wanted); };
  auto plan = policy::PlanResize(snapshot_, index, ticket->size_bytes(), settings_.policy, now, unpluggable);
  if (const auto* why = std::get_if<policy::ResizeRefused>(&plan))
    return refuse(absl::FailedPreconditionError(StrCat(ticket->guest(), " cannot be resized: ", *why)));
  const auto& made = std::get<policy::ResizePlan>(plan);
  if (!ticket->dry_run()) {
    Say(LogLevel::kInfo, guest,
        StrCat("the operator resizes it from ", FormatSize(made.from_bytes), " to ",
               FormatSize(made.to_bytes), made.limit.empty() ? "" : "; ", made.limit));
  }
  guest.resizer.Begin(std::move(ticket), made, now);
  SetMode(index);
}

void ControlLoop::ShowStatus() {
  if (settings_.board == nullptr) return;
  for (size_t i = 0; i < guests_.size(); ++i) {
    Guest& guest = guests_[i];
    if (!std::exchange(guest.changed, false)) continue;
    GuestStatus status = StatusOf(snapshot_.guests[i], guest.desk);
    status.mode = guest.mode;
    status.last_decision = guest.last_decision;
    status.decided_at = guest.decided_at;
    status.hold = guest.hold;
    settings_.board->Show(i, std::move(status));
  }
}

}  // namespace ballast::control
