#include "host-bridge/control/control_loop.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/size_text.h"
#include "common/base/text.h"

namespace ballast::control {
namespace {

// What may be plugged by the operator's ceiling.
std::string Millis(Nanos span) { return absl::StrFormat("%.2f ms", static_cast<double>(span.count) / 1e6); }

}  // namespace

ControlLoop::ControlLoop(LoopSettings settings, std::vector<ManagedGuest> guests, ReadHost read_host,
                         const Clock& clock, Wakeup& wakeup, LogSink log)
    : settings_(std::move(settings)),
      read_host_(std::move(read_host)),
      clock_(clock),
      wakeup_(wakeup),
      log_(std::move(log)) {
  snapshot_.reclaim_holds = settings_.reclaim_holds;
  for (const ManagedGuest& guest : guests) {
    policy::GuestFacts facts;
    facts.limits = guest.limits;
    snapshot_.guests.push_back(std::move(facts));
    guests_.push_back({.ports = guest,
                       .pending = {},
                       .last_hold = {},
                       .settling = {},
                       .settling_since = {},
                       .mode = guest.limits.mode,
                       .desk = PlugDesk(guest.devices, guest.link)});
  }
}

void ControlLoop::Run(const std::stop_token& stop) {
  std::stop_callback ring(stop, [this] { wakeup_.Ring(); });
  while (!stop.stop_requested()) {
    const MonotonicTime began = clock_.Now();
    Step();
    wakeup_.Wait(LongestWait());
    // However fast a guest rings, it cannot have more of this thread than a round in each millisecond.
    const Nanos early = Milliseconds(1) - (clock_.Now() - began);
    if (early.count > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(early.count));
  }
}

void ControlLoop::Step() {
  MonotonicTime now = clock_.Now();
  RefreshHost(now);
  if (now - ration_renewed_ >= Seconds(60)) {
    ration_renewed_ = now;
    for (Guest& guest : guests_) {
      guest.ports.mailbox->RenewRation();
      guest.request_lines = kRequestLines;
    }
  }
  verdicts_.clear();
  for (size_t i = 0; i < guests_.size(); ++i) TakeNews(i, now);
  // Readings carry the time of their arrival, which may be later than the moment this step began.
  now = clock_.Now();
  TakeResizes(now);
  policy::Outcome& outcome = decider_.Decide(snapshot_, settings_.policy, now);
  if (settings_.record) settings_.record(snapshot_, now, outcome, verdicts_);
  for (const policy::Decision& decision : outcome.decisions) {
    Act(decision, outcome.histories[decision.guest]);
    // The safe target of a rebooted guest is owed until it has been decided on.
    snapshot_.guests[decision.guest].rebooted = false;
  }
  for (const policy::PlugDecision& decision : outcome.plugs) Act(decision);
  for (const policy::Answer& answer : outcome.answers) Reply(answer);
  LogHolds(outcome);
  for (size_t i = 0; i < guests_.size(); ++i) {
    policy::GuestFacts& facts = snapshot_.guests[i];
    guests_[i].changed |= facts.history.state != outcome.histories[i].state;
    facts.history = outcome.histories[i];
    CheckSettled(i);
    TendPlugged(i, now);
  }
  snapshot_.host_history = outcome.host_history;
  ShowStatus();
}

void ControlLoop::RefreshHost(MonotonicTime now) {
  if (host_read_at_ && now - *host_read_at_ < settings_.host_interval) return;
  host_read_at_ = now;
  absl::StatusOr<Sampled<policy::HostReading>> reading = read_host_();
  if (!reading.ok() && !host_lost_) log_(LogLevel::kWarning, StrCat("host: ", MessageOf(reading.status())));
  host_lost_ = !reading.ok();
  // The last reading stays and grows old: the rules know what to do with a stale one.
  if (reading.ok()) snapshot_.host = *reading;
}

void ControlLoop::TakeNews(size_t index, MonotonicTime now) {
  Guest& guest = guests_[index];
  policy::GuestFacts& facts = snapshot_.guests[index];
  GuestNews news = guest.ports.mailbox->Take();
  guest.changed |= news.report || news.vmm || news.devices || news.vmm_lost || news.rebooted;
  guest.desk.Take(news);
  for (const Notice& notice : news.notices) Say(notice.level, guest, notice.text);
  for (policy::OomVerdict& verdict : news.verdicts) {
    verdict.guest = index;
    log_(LogLevel::kWarning, policy::Explain(verdict, guest.ports.limits.name));
    verdicts_.push_back(std::move(verdict));
  }
  if (news.rebooted) {
    facts.rebooted = true;
    facts.report.reset();
    facts.history = {};
    guest.settling.reset();
    guest.requests.Clear();
    guest.desk.Forget();
    guest.operators.reset();
    guest.resizer.End(absl::AbortedError("the guest started anew"), facts);
  }
  TakeRequests(index, std::move(news.requests), now);
  for (const vmm::Receipt& receipt : news.receipts) TakeReceipt(index, receipt);
  if (news.resumed) facts.resumed_at = now;
  if (news.report) facts.report = news.report;
  if (news.vmm_lost) {
    facts.vmm.reset();
    guest.vmm_lost = true;
    guest.settling.reset();
    // What becomes of plugged memory its task finds out; a balloon's command is lost with the connection.
    if (!guest.desk.IsBusy()) guest.resizer.End(absl::UnavailableError("its VMM no longer answers"), facts);
  }
  if (news.vmm) {
    // Whoever answers now may be another process: only what is read from it counts, so earlier targets are
    // void. Until then what was promised stays promised.
    if (std::exchange(guest.vmm_lost, false)) facts.history = {};
    facts.vmm = news.vmm;
  }
  if (facts.vmm && facts.vmm->value.plug) facts.vmm->value.plug->unplugging = guest.desk.IsShrinking(now);
  TendLink(guest, facts, news.was_reset);
}

void ControlLoop::TakeRequests(size_t index, std::vector<RequestNews> requests, MonotonicTime now) {
  Guest& guest = guests_[index];
  for (RequestNews& request : requests) {
    const int64_t id = request.request.id;
    const bool kept = guest.requests.Add(std::move(request));
    if (!kept && guest.ports.link != nullptr) {
      guest.ports.link->Answer({id, 0, {}, "too many requests of this guest wait already"});
    }
  }
  guest.requests.DropLate(now);
  snapshot_.guests[index].request = guest.requests.Next();
}

void ControlLoop::Reply(const policy::Answer& answer) {
  Guest& guest = guests_[answer.guest];
  const auto request = guest.requests.Take(answer.request);
  if (!request) return;
  session::MemoryAnswer reply{
      answer.request, answer.granted_bytes, answer.eta, policy::Explain(answer.why), {}};
  if (answer.granted_bytes > 0)
    reply.actuator = answer.actuator == policy::Actuator::kHotplug ? guest.desk.GrowsBy() : "balloon";
  std::string text = policy::Explain(answer, guest.ports.limits.name);
  if (settings_.dry_run) {
    reply = {answer.request, 0, {}, "the bridge only shows what it would do (dry run)", {}};
    text += " [dry run: told that it gets nothing]";
  }
  if (guest.ports.link != nullptr) guest.ports.link->Answer(reply);
  text += StrCat(" (", FormatSize(request->request.bytes), " asked for",
                 request->asker.empty() ? "" : " by '", request->asker, request->asker.empty() ? ")" : "')");
  if (guest.request_lines == 1) text += " (further answers to this guest are left out here for a minute)";
  if (guest.request_lines > 0) {
    --guest.request_lines;
    log_(LogLevel::kInfo, text);
  }
  if (guest.requests.Next()) wakeup_.Ring();
}

Nanos ControlLoop::LongestWait() const {
  Nanos wait = settings_.tick;
  const MonotonicTime now = clock_.Now();
  for (const Guest& guest : guests_) {
    if (guest.resizer.IsBusy()) wait = std::min(wait, Milliseconds(100));
    if (guest.desk.IsBusy()) wait = std::clamp(guest.desk.NextLook() - now, Milliseconds(1), wait);
  }
  for (const policy::GuestFacts& facts : snapshot_.guests) {
    if (!facts.request) continue;
    const Nanos left = facts.request->deadline - now - settings_.policy.request_answer_ahead;
    wait = std::clamp(left, Milliseconds(1), wait);
  }
  return wait;
}

void ControlLoop::TendLink(Guest& guest, const policy::GuestFacts& facts, bool was_reset) {
  if (guest.ports.link == nullptr) return;
  if (was_reset) guest.ports.link->Renew();
  if (!facts.vmm) return;  // nobody says whether it runs: as it was
  const bool stopped = !facts.vmm->value.running;
  if (stopped != guest.link_held) {
    guest.link_held = stopped;
    stopped ? guest.ports.link->Hold() : guest.ports.link->Release();
  }
}

void ControlLoop::TakeReceipt(size_t index, const vmm::Receipt& receipt) {
  Guest& guest = guests_[index];
  const auto pending = std::find_if(guest.pending.begin(), guest.pending.end(),
                                    [&](const Pending& each) { return each.id == receipt.id; });
  if (pending == guest.pending.end()) return;
  const policy::Decision decision = pending->decision;
  guest.pending.erase(pending);
  if (!receipt.status.ok()) {
    Say(LogLevel::kWarning, guest,
        StrCat("command ", receipt.id, ": balloon to ", FormatSize(receipt.target.count),
               " failed: ", MessageOf(receipt.status)));
    const bool replaced = absl::IsAborted(receipt.status);
    if (decision.reason.rule == policy::Rule::kRestartedGuest && !replaced)
      snapshot_.guests[index].rebooted = true;
    return;
  }
  if (receipt.dry_run) return;  // its decision said so
  std::string text = StrCat("command ", receipt.id, ": balloon to ", FormatSize(receipt.target.count));
  if (receipt.written_at.ns != 0) {
    text += StrCat(": accepted in ", Millis(receipt.done_at - receipt.written_at));
    if (decision.pressure_onset) {
      text += StrCat(", written ", Millis(receipt.written_at - *decision.pressure_onset),
                     " after pressure began");
    }
  }
  Say(LogLevel::kInfo, guest, text);
}

uint64_t ControlLoop::Command(Guest& guest, const policy::Decision& decision) {
  const uint64_t id = next_id_++;
  // Commands that a receipt never came for (a bug elsewhere) must not pile up.
  constexpr size_t kMaxPending = 16;
  if (guest.pending.size() >= kMaxPending) guest.pending.erase(guest.pending.begin());
  guest.pending.push_back({id, decision});
  guest.ports.actuator->SetBalloon(id, decision.target);
  guest.settling = decision.target;
  guest.settling_since = clock_.Now();
  return id;
}

void ControlLoop::Act(const policy::Decision& decision, policy::GuestHistory& history) {
  Guest& guest = guests_[decision.guest];
  const std::string text = policy::Explain(decision, guest.ports.limits.name);
  if (!decision.act) return log_(LogLevel::kInfo, StrCat(text, " [observed only]"));
  // Only a gift can come in between: nothing is taken while an operator's resize is under way.
  CallOffResize(guest, snapshot_.guests[decision.guest], history);
  const uint64_t id = Command(guest, decision);
  Remember(guest, text);
  log_(LogLevel::kInfo, StrCat(text, settings_.dry_run ? " [dry run, command " : " [command ", id, "]"));
}

void ControlLoop::Act(const policy::PlugDecision& decision) {
  Guest& guest = guests_[decision.guest];
  const std::string text = policy::Explain(decision, guest.ports.limits.name);
  const char* note = !decision.act ? " [observed only]" : settings_.dry_run ? " [dry run]" : "";
  log_(LogLevel::kInfo, StrCat(text, note));
  if (!decision.act) return;
  Remember(guest, text);
  // The host was asked for so much and no more, whatever a slot's share would be.
  if (!settings_.dry_run) guest.desk.Want(decision.target, clock_.Now());
}

void ControlLoop::Remember(Guest& guest, const std::string& decision) {
  guest.last_decision = decision;
  guest.decided_at = clock_.Now();
  guest.changed = true;
}

void ControlLoop::CheckSettled(size_t index) {
  Guest& guest = guests_[index];
  const policy::GuestFacts& facts = snapshot_.guests[index];
  if (!guest.settling || !facts.vmm || facts.vmm->at < guest.settling_since) return;
  // One megabyte: the driver works in such steps, and the VMM may round.
  const int64_t apart = facts.vmm->value.balloon_actual.count - guest.settling->count;
  if (apart > kMiB || apart < -kMiB) return;
  Say(LogLevel::kInfo, guest,
      StrCat("balloon reached ", FormatSize(guest.settling->count), " after ",
             Millis(facts.vmm->at - guest.settling_since)));
  guest.settling.reset();
}

void ControlLoop::LogHolds(const policy::Outcome& outcome) {
  std::vector<bool> held(guests_.size(), false);
  for (const policy::Hold& hold : outcome.holds) {
    held[hold.guest] = true;
    Guest& guest = guests_[hold.guest];
    if (guest.last_hold == hold.why) continue;
    guest.last_hold = hold.why;
    guest.hold = policy::Explain(hold, guest.ports.limits.name);
    guest.changed = true;
    log_(LogLevel::kInfo, guest.hold);
  }
  for (size_t i = 0; i < guests_.size(); ++i) {
    if (held[i] || !guests_[i].last_hold) continue;
    guests_[i].last_hold.reset();
    guests_[i].hold.clear();
    guests_[i].changed = true;
  }
}

void ControlLoop::Say(LogLevel level, const Guest& guest, const std::string& text) {
  log_(level, StrCat(guest.ports.limits.name, ": ", text));
}

}  // namespace ballast::control
