#include "guest-agent/oom/verdict_plan.h"

#include <algorithm>

#include "guest-agent/oom/scope_plan.h"
#include "guest-agent/oom/text_plan.h"

namespace ballast::agent {
namespace {

bool IsSameProcess(int32_t pid, int32_t tid, const KillFacts& kill) {
  return pid == kill.pid || tid == kill.tid || pid == kill.tid || tid == kill.pid;
}

Nanos Apart(MonotonicTime a, MonotonicTime b) { return a < b ? b - a : a - b; }

}  // namespace

void VerdictPlan::OnKernelKill(const KillFacts& kill) {
  if (IsNew(kill, &Known::in_kernel)) {
    Add(kill, OomSource::kBpf, kill.at);
  } else {
    Improve(kill);
  }
}

void VerdictPlan::OnLogLine(const kernel::OomLine& line, MonotonicTime now) {
  if (const auto* invoked = std::get_if<kernel::OomInvoked>(&line)) {
    log_ = {};
    log_.asker = CommFromLog(invoked->comm);
    log_.gfp_mask = invoked->gfp_mask;
    log_.order = invoked->order;
  } else if (const auto* chosen = std::get_if<kernel::OomChosen>(&line)) {
    log_.constraint = chosen->constraint;
    log_.limit_cgroup = PathFromLog(chosen->limit_cgroup);
    log_.cgroup = PathFromLog(chosen->cgroup);
    log_.uid = chosen->uid;
    log_.chosen_pid = chosen->pid;
  } else {
    OnKilled(std::get<kernel::OomKilled>(line), now);
  }
}

void VerdictPlan::OnKilled(const kernel::OomKilled& killed, MonotonicTime now) {
  const KillFacts kill = FromLog(killed, now);
  if (IsNew(kill, &Known::in_log)) Add(kill, OomSource::kKmsg, sources_.bpf ? now + kLogGrace : now);
}

// The first killed after the choice is the chosen one, even when the line names another of its threads;
// whoever follows dies with it, because its cgroup is killed as a group.
KillFacts VerdictPlan::FromLog(const kernel::OomKilled& killed, MonotonicTime now) {
  KillFacts kill{.at = now,
                 .pid = killed.pid,
                 .tid = killed.pid,
                 .comm = CommFromLog(killed.comm),
                 .cgroup = {},
                 .uid = killed.uid.value_or(0),
                 .oom_score_adj = killed.oom_score_adj,
                 .total_vm_bytes = killed.total_vm_bytes,
                 .anon_bytes = killed.anon_bytes,
                 .file_bytes = killed.file_bytes,
                 .shmem_bytes = killed.shmem_bytes,
                 .page_table_bytes = killed.page_table_bytes.value_or(0),
                 .constraint = log_.constraint,
                 .limit_cgroup = log_.limit_cgroup,
                 .asker_comm = log_.asker,
                 .order = log_.order,
                 .gfp_mask = log_.gfp_mask};
  if (log_.chosen_pid == 0) return kill;
  kill.pid = log_.chosen_pid;
  kill.cgroup = log_.cgroup;
  if (!killed.uid) kill.uid = log_.uid;
  log_.chosen_pid = 0;
  return kill;
}

bool VerdictPlan::IsNew(const KillFacts& kill, int64_t Known::*by) {
  const size_t kept = std::min(known_count_, kRoom);
  for (size_t i = 0; i < kept; ++i) {
    Known& known = known_[i];
    if (!IsSameProcess(known.pid, known.tid, kill) || Apart(known.at, kill.at) > kSameKill) continue;
    const int64_t before = std::max(known.in_kernel, known.in_log);
    ++(known.*by);
    explained_ += std::max(known.in_kernel, known.in_log) - before;
    return false;
  }
  Known& fresh = known_[known_count_++ % kRoom];
  fresh = {.pid = kill.pid, .tid = kill.tid, .at = kill.at, .in_kernel = 0, .in_log = 0};
  fresh.*by = 1;
  return true;
}

// What the log told, as long as nobody was told of it, in the better source's words.
void VerdictPlan::Improve(const KillFacts& kill) {
  for (size_t i = 0; i < seen_count_; ++i) {
    Seen& waiting = seen_[i];
    if (waiting.source != OomSource::kKmsg || !IsSameProcess(waiting.kill.pid, waiting.kill.tid, kill))
      continue;
    waiting.kill = kill;
    waiting.source = OomSource::kBpf;
    waiting.due = kill.at;
    return;
  }
}

void VerdictPlan::Add(const KillFacts& kill, OomSource source, MonotonicTime due) {
  if (seen_count_ == kRoom) {
    ++overflowed_;
    return;
  }
  const bool doubtful = anonymous_ > 0 && Apart(anonymous_at_, kill.at) <= kSameKill;
  seen_[seen_count_++] = {kill, source, due, doubtful};
}

void VerdictPlan::Remove(size_t index) {
  std::move(seen_.begin() + static_cast<std::ptrdiff_t>(index) + 1,
            seen_.begin() + static_cast<std::ptrdiff_t>(seen_count_),
            seen_.begin() + static_cast<std::ptrdiff_t>(index));
  --seen_count_;
}

// Kills that were counted and that no verdict, given or waiting, is about.
int64_t VerdictPlan::Unexplained() const {
  int64_t waiting = 0;
  for (size_t i = 0; i < seen_count_; ++i) waiting += seen_[i].doubtful ? 0 : 1;
  return counted_ - explained_ - waiting;
}

void VerdictPlan::OnCounter(int64_t total, MonotonicTime now) {
  if (!counted_from_) counted_from_ = total;
  counted_ = std::max(counted_, total - *counted_from_);
  ResolveDoubts();
  if (Unexplained() <= 0) {
    unexplained_since_.reset();
  } else if (!unexplained_since_) {
    unexplained_since_ = now;
  }
}

// A kill that was told of after it had been counted as nobody's: if it is another one, the count has risen
// again.
void VerdictPlan::ResolveDoubts() {
  for (size_t i = 0; i < seen_count_;) {
    if (!seen_[i].doubtful) {
      ++i;
    } else if (Unexplained() > 0) {
      seen_[i++].doubtful = false;
    } else {
      Remove(i);
      --anonymous_;
    }
  }
}

std::optional<OomVerdict> VerdictPlan::Next(const GuestCondition& guest, MonotonicTime now) {
  for (size_t i = 0; i < seen_count_; ++i) {
    if (seen_[i].doubtful || seen_[i].due > now) continue;
    const Seen told = seen_[i];
    Remove(i);
    ++explained_;
    return Make(told.kill, told.source, guest);
  }
  const Nanos grace = sources_.bpf || sources_.kmsg ? kCounterGrace : Nanos{0};
  if (!unexplained_since_ || now - *unexplained_since_ < grace) return std::nullopt;
  const int64_t kills = Unexplained();
  KillFacts nobody;
  nobody.at = *unexplained_since_;
  OomVerdict verdict = Make(nobody, OomSource::kCounters, guest);
  verdict.kills = kills;
  explained_ += kills;
  anonymous_ += kills;
  anonymous_at_ = now;
  unexplained_since_.reset();
  return verdict;
}

std::optional<MonotonicTime> VerdictPlan::NextDue() const {
  std::optional<MonotonicTime> due;
  for (size_t i = 0; i < seen_count_; ++i) {
    if (!seen_[i].doubtful && (!due || seen_[i].due < *due)) due = seen_[i].due;
  }
  if (!unexplained_since_) return due;
  const MonotonicTime counters = *unexplained_since_ + kCounterGrace;
  return due ? std::min(*due, counters) : counters;
}

OomVerdict VerdictPlan::Make(const KillFacts& kill, OomSource source, const GuestCondition& guest) {
  OomVerdict verdict;
  verdict.id = ++last_id_;
  verdict.source = source;
  verdict.kill = kill;
  verdict.available_bytes = guest.available_bytes;
  verdict.balloon_bytes = guest.balloon_bytes;
  JudgeScope(guest, verdict);
  return verdict;
}

}  // namespace ballast::agent
