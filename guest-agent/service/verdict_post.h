// Hands what the watch on OOM kills tells to whoever watches, and keeps the verdicts for those who come
// later.
#pragma once

#include "guest-agent/oom/oom_listener.h"
#include "guest-agent/oom/verdict_log.h"
#include "guest-agent/service/sample_loop.h"

namespace ballast::agent {

class VerdictPost final : public OomListener {
 public:
  // Both must outlive it.
  VerdictPost(VerdictLog& log, SampleLoop& loop) : log_(log), loop_(loop) {}

  void OnVerdict(const OomVerdict& verdict) override;
  void OnOomBegins(const OomBegins& begins) override;
  void OnReclaimStall(const ReclaimStall& stall) override;

 private:
  VerdictLog& log_;
  SampleLoop& loop_;
};

}  // namespace ballast::agent
