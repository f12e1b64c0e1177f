#include "host-bridge/lab/world/world.h"

#include <algorithm>
#include <limits>

namespace ballast::sim {
namespace {

// What an event-driven controller at rest is looked at anyway: reports come at least as often.
constexpr Nanos kLongestRest = Seconds(10);
// A report of a guest whose clock was not yet related to the host's again (the link measures it every 30 s,
// but a report that is off by more than a second makes it do so at once).
constexpr Nanos kClockRelatedAfter = Seconds(2);
// A periodic controller sees statistics of this age at most.
constexpr Nanos kSeenEvery = Seconds(2);

HostSpec SpecOf(const HostPlan& plan) { return {plan.total_bytes, plan.swap_bytes}; }

}  // namespace

World::World(const WorldPlan& plan, const ControllerKind& controller, const RunOptions& options)
    : plan_(plan),
      options_(options),
      end_(kWorldBegan + plan.length),
      controller_(controller.make(plan)),
      event_driven_(controller_->event_driven()),
      period_(controller_->period()),
      latency_(controller_->latency()),
      host_(SpecOf(plan.host)),
      reserve_(Reserve()),
      others_(plan.host.others_bytes),
      due_(plan.guests.size(), kWorldBegan.ns),
      now_(kWorldBegan),
      next_look_(kWorldBegan),
      next_sample_(kWorldBegan) {
  guests_.reserve(plan.guests.size());
  sight_.guests.resize(plan.guests.size());
  for (size_t i = 0; i < plan.guests.size(); ++i) {
    guests_.emplace_back(plan.guests[i], plan.policy, controller.device, kWorldBegan);
    sight_.guests[i].plan = &plan.guests[i];
    sight_.guests[i].vmm_answers = false;
    sight_.guests[i].running = false;
  }
  busy_ = static_cast<int64_t>(guests_.size());
  reversals_.resize(guests_.size());
  for (const HostEvent& event : plan.host.events) {
    host_changes_.push_back({kWorldBegan + event.at, &event, true});
    if (event.kind == HostEvent::Kind::kPressure) {
      host_changes_.push_back({kWorldBegan + event.at + event.length, &event, false});
    }
  }
  std::stable_sort(host_changes_.begin(), host_changes_.end(),
                   [](const HostChange& a, const HostChange& b) { return a.at < b.at; });
  if (options.sample_every.count > 0) controller_->ExplainTo(&result_.log);
}

// As the policy reckons it, for rivals too: one yardstick.
int64_t World::Reserve() const {
  const int64_t share = plan_.host.total_bytes / 10'000 * plan_.policy.host_reserve_permyriad;
  return std::min(std::max(share, plan_.policy.host_reserve_min_bytes), plan_.host.total_bytes / 2);
}

RunResult World::Run() {
  StepTo(now_);
  while (now_ < end_) StepTo(std::min(end_, NextInstant()));
  for (const GuestRun& guest : guests_) {
    result_.measures.bytes_taken += guest.model().counters().taken_bytes;
    result_.measures.bytes_given += guest.model().counters().given_bytes;
  }
  return std::move(result_);
}

MonotonicTime World::NextInstant() const {
  int64_t next = std::min(next_look_.ns, due_.Earliest());
  if (next_pending_ < pending_.size()) next = std::min(next, pending_[next_pending_].at.ns);
  if (next_host_change_ < host_changes_.size()) next = std::min(next, host_changes_[next_host_change_].at.ns);
  if (options_.sample_every.count > 0) next = std::min(next, next_sample_.ns);
  return {std::max(next, now_.ns + 1)};
}

void World::StepTo(MonotonicTime now) {
  PassHostTime(now);
  now_ = now;
  HappenToHost();
  Deliver();
  due_.ForEachDue(now.ns, [this](size_t guest) { Advance(guest); });
  if (now == end_) {
    for (size_t i = 0; i < guests_.size(); ++i) Advance(i);
  }
  CountHost();
  ConsiderLook();
  if (options_.sample_every.count > 0 && now >= next_sample_) TakeSample();
}

void World::PassHostTime(MonotonicTime now) {
  const Nanos span = now - now_;
  host_.Advance(span);
  if (host_.is_short()) result_.measures.host_swapping = result_.measures.host_swapping + span;
}

void World::HappenToHost() {
  for (; next_host_change_ < host_changes_.size() && host_changes_[next_host_change_].at <= now_;
       ++next_host_change_) {
    const HostChange& change = host_changes_[next_host_change_];
    news_ = true;
    if (change.event->kind == HostEvent::Kind::kPressure) {
      others_ += change.begins ? change.event->value : -change.event->value;
      continue;
    }
    for (GuestRun& guest : guests_) guest.ClockJumped(now_ + kClockRelatedAfter, change.event->length);
  }
}

void World::Deliver() {
  for (; next_pending_ < pending_.size() && pending_[next_pending_].at <= now_; ++next_pending_) {
    const Command& command = pending_[next_pending_].command;
    GuestRun& guest = guests_[command.guest];
    Advance(command.guest);
    const bool obeys =
        command.plug_bytes ? guest.SetPlugged(*command.plug_bytes) : guest.SetTarget(command.balloon_bytes);
    if (!obeys) continue;
    Advance(command.guest);
  }
  if (next_pending_ == pending_.size()) {
    pending_.clear();
    next_pending_ = 0;
  }
}

void World::Advance(size_t index) {
  GuestRun& guest = guests_[index];
  const bool was_on = guest.model().on();
  const bool was_busy = guest.is_busy();
  const int64_t resident = guest.model().memory().resident();
  const SimulatedAgent::Word word = guest.AdvanceTo(now_, Spare(), sight_.guests[index], result_.measures);
  due_.Set(index, guest.due().ns);
  resident_ += guest.model().memory().resident() - resident;
  if (guest.model().on() != was_on) up_ += was_on ? -1 : 1;
  if (guest.is_busy() != was_busy) busy_ += was_busy ? -1 : 1;
  news_ = news_ || word == SimulatedAgent::Word::kReport;
  bell_ = bell_ || word == SimulatedAgent::Word::kUrgent || sight_.guests[index].rebooted;
}

void World::CountHost() {
  const auto demand = [&] { return others_ + resident_ + up_ * plan_.host.vmm_overhead_bytes; };
  host_.SetDemand(demand());
  while (host_.is_exhausted() && up_ > 0) {
    KillLargest();
    host_.SetDemand(demand());
  }
  result_.measures.host_peak_bytes = std::max(result_.measures.host_peak_bytes, host_.in_memory());
}

void World::KillLargest() {
  size_t largest = 0;
  int64_t most = -1;
  for (size_t i = 0; i < guests_.size(); ++i) {
    const int64_t resident = guests_[i].model().memory().resident();
    if (guests_[i].model().on() && resident > most) {
      most = resident;
      largest = i;
    }
  }
  ++result_.measures.host_oom_kills;
  resident_ -= most;
  --up_;
  guests_[largest].KillVmm(now_);
  reversals_[largest].Forget();
  due_.Set(largest, guests_[largest].due().ns);
  news_ = true;
}

void World::ConsiderLook() {
  const bool due = now_ >= next_look_;
  if (!event_driven_) {
    if (!due) return;
    RefreshSight();
    Look();
    next_look_ = next_look_ + period_;
    return;
  }
  if (due || bell_) {
    Look();
    const bool rests = controller_->at_rest() && busy_ == 0;
    const Nanos pace = rests ? kLongestRest : period_;
    next_look_ = kWorldBegan + pace * ((now_ - kWorldBegan).count / pace.count + 1);
  } else if (news_) {
    next_look_ = std::min(next_look_, now_ + period_);
  }
  news_ = bell_ = false;
}

// What a poller asks for is as it is now; of a guest where nothing happens it may be some seconds old.
void World::RefreshSight() {
  for (size_t i = 0; i < guests_.size(); ++i) {
    if (guests_[i].at() == now_) continue;
    const bool is_old = now_ - std::min(guests_[i].at(), sight_.guests[i].stats_at) >= kSeenEvery;
    if (is_old || guests_[i].is_busy()) Advance(i);
  }
  CountHost();
}

void World::Look() {
  sight_.now = now_;
  sight_.host = {.total_bytes = host_.total(),
                 .available_bytes = host_.available(),
                 .swap_used_bytes = host_.swap_used(),
                 .some_permyriad = host_.some_permyriad(),
                 .full_permyriad = host_.full_permyriad(),
                 .some_avg10_permyriad = host_.some_avg10_permyriad()};
  commands_.clear();
  controller_->Look(sight_, commands_);
  for (GuestSight& guest : sight_.guests) guest.rebooted = false;
  Obey();
}

void World::Obey() {
  for (const Command& command : commands_) {
    if (command.guest >= guests_.size()) continue;
    ++result_.measures.commands;
    if (command.plug_bytes) {
      pending_.push_back({now_ + latency_, command});
      continue;
    }
    const int64_t target =
        std::clamp<int64_t>(command.balloon_bytes, 0, plan_.guests[command.guest].boot_bytes);
    if (reversals_[command.guest].Command(target, now_)) ++result_.measures.reversals;
    pending_.push_back({now_ + latency_, {command.guest, target}});
  }
}

void World::TakeSample() {
  Sample sample;
  sample.at = now_ - kWorldBegan;
  int64_t stalled_ns = 0;
  for (size_t i = 0; i < guests_.size(); ++i) {
    if (guests_[i].at() < now_) Advance(i);
    const GuestModel& model = guests_[i].model();
    const int64_t size = model.on() ? model.memory().boot() - model.memory().balloon() : 0;
    sample.guests_size += size;
    sample.guests_resident += model.memory().resident();
    sample.guests_used += model.memory().used();
    stalled_ns += model.counters().stalled_ns;
    if (i >= options_.drawn_guests) continue;
    sample.guest_size.push_back(size);
    sample.guest_used.push_back(model.memory().used());
  }
  CountHost();
  sample.host_used = host_.in_memory();
  sample.host_some_permyriad = host_.some_permyriad();
  const int64_t period = std::max<int64_t>(1, options_.sample_every.count);
  const auto count = std::max<int64_t>(1, static_cast<int64_t>(guests_.size()));
  sample.stall_permyriad = static_cast<int32_t>(
      std::min<int64_t>(10'000, (stalled_ns - sampled_stalled_ns_) / count * 10'000 / period));
  sample.commands = result_.measures.commands - sampled_commands_;
  sample.oom_kills = result_.measures.guest_oom_kills - sampled_kills_;
  sampled_stalled_ns_ = stalled_ns;
  sampled_commands_ = result_.measures.commands;
  sampled_kills_ = result_.measures.guest_oom_kills;
  result_.samples.push_back(std::move(sample));
  next_sample_ = next_sample_ + options_.sample_every;
}

}  // namespace ballast::sim
