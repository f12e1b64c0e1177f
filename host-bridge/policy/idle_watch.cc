#include "host-bridge/policy/idle_watch.h"

#include <algorithm>

#include "host-bridge/policy/arithmetic.h"

namespace ballast::policy {
namespace {

// The largest use within the last one to two windows: two numbers instead of a list of samples, and the same
// however often it is asked.
void WatchWorkingSet(View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  const Nanos window = config.working_set_window;
  const Nanos elapsed = history.peak_window_since ? Elapsed(*history.peak_window_since, now) : window * 2;
  if (elapsed >= window || elapsed.count < 0) {
    history.earlier_peak_bytes = elapsed >= window * 2 || elapsed.count < 0 ? 0 : history.recent_peak_bytes;
    history.recent_peak_bytes = 0;
    history.peak_window_since = now;
  }
  // While the balloon moves, what the VMM says of it and what the guest said are of different moments.
  if (view.settled) history.recent_peak_bytes = std::max(history.recent_peak_bytes, view.used);
  view.working_set = std::max({view.used, history.recent_peak_bytes, history.earlier_peak_bytes});
}

bool ReadsBack(const View& view, const PolicyConfig& config) {
  return view.reading->refault_bytes_per_second >= config.idle_refault_bytes_per_second;
}

// Stalls and pages read back: what taking too much looks like before anything is short.
bool Suffers(const View& view, const PolicyConfig& config) {
  return view.reading->stall_permyriad >= config.idle_stall_permyriad || ReadsBack(view, config);
}

void Regret(const View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  if (ReadsBack(view, config)) history.missed_at = now;
  const Nanos wait = std::clamp(history.idle_wait, config.idle_after, config.idle_max_wait);
  history.idle_wait = std::min(Nanos{Add(wait.count, wait.count)}, config.idle_max_wait);
  history.regretted_at = now;
  history.calm_since.reset();
  history.idle_step_at.reset();
}

// A step that is past undoing.
void ForgetStep(bool was_wrong, const View& view, GuestHistory& history, const PolicyConfig& config,
                MonotonicTime now) {
  if (was_wrong) Regret(view, history, config, now);
  history.idle_step_at.reset();
  history.idle_step = {};
  if (history.plug) history.plug->unplug_step_bytes = 0;
}

// Senpai's rule: a step that hurts is undone, and the wait doubles. Later it was wrong still when the guest
// needs memory again soon, or suffered for it; a guest that used it no sooner was rightly without it.
void JudgeLastStep(View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  if (!history.idle_step_at) return;
  const Nanos since = Elapsed(*history.idle_step_at, now);
  // By the report's own time: however late it is looked at, it is of the time the step was watched in.
  const MonotonicTime heard_at = view.facts->report->at;
  const bool watched =
      heard_at > *history.idle_step_at && Elapsed(*history.idle_step_at, heard_at) <= config.idle_interval;
  const bool suffers = Suffers(view, config);
  const bool pressed = view.level >= GuestState::kPressed;
  if (watched && (suffers || pressed)) {
    Regret(view, history, config, now);
  } else if (pressed) {
    ForgetStep(since < config.idle_regret_window || suffers, view, history, config, now);
  }
}

void Forget(GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  if (!history.regretted_at || Elapsed(*history.regretted_at, now) < config.idle_max_wait) return;
  history.idle_wait = history.idle_wait / 2;
  history.regretted_at = now;
  if (history.idle_wait > config.idle_after) return;
  history.idle_wait = {};
  history.regretted_at.reset();
}

}  // namespace

void NeedsMore(const View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  history.calm_since.reset();
  if (!history.idle_step_at) return;
  ForgetStep(Elapsed(*history.idle_step_at, now) < config.idle_regret_window, view, history, config, now);
}

void WatchIdle(View& view, GuestHistory& history, const PolicyConfig& config, MonotonicTime now) {
  WatchWorkingSet(view, history, config, now);
  JudgeLastStep(view, history, config, now);
  Forget(history, config, now);
  // A step that turned out to be wrong is owed until something was given, were the host to have nothing now.
  if (!history.idle_step_at) view.idle_undo = std::max<int64_t>(0, history.idle_step.count);
  const bool calm = view.state <= GuestState::kComfortable;
  if (!calm) {
    history.calm_since.reset();
    return;
  }
  if (!history.calm_since || *history.calm_since > now) history.calm_since = now;
  const Nanos needed = std::max(config.idle_after, history.idle_wait);
  const bool rested = Elapsed(*history.calm_since, now) >= needed;
  const bool judged = !history.idle_step_at || Elapsed(*history.idle_step_at, now) >= config.idle_interval;
  view.idle_ready = rested && judged && !Suffers(view, config);
}

}  // namespace ballast::policy
