#include "guest-agent/service/verdict_post.h"

#include "common/base/text.h"
#include "common/os/log.h"

namespace ballast::agent {

void VerdictPost::OnVerdict(const OomVerdict& verdict) {
  log_.Add(verdict);  // first: whoever comes between the two finds it there
  loop_.Broadcast({verdict.kill.at, verdict});
  const KillFacts& kill = verdict.kill;
  LogWarning(verdict.source == OomSource::kCounters
                 ? StrCat(verdict.kills, " OOM kill(s). ", verdict.advice)
                 : StrCat("OOM kill of ", kill.comm.View(), " (", kill.pid, ") in ", kill.cgroup.View(), ". ",
                          verdict.advice));
}

void VerdictPost::OnOomBegins(const OomBegins& begins) { loop_.Broadcast({begins.at, begins}); }

void VerdictPost::OnReclaimStall(const ReclaimStall& stall) { loop_.Broadcast({stall.at, stall}); }

}  // namespace ballast::agent
