// Where a kind of news comes from, and why not from a better source.
#pragma once

#include <string>

#include "guest-agent/oom/verdict_plan.h"

namespace ballast::agent {

struct SignalSource {
  std::string signal;  // "oom_kill", "oom_begin", "direct_reclaim"
  OomSource source = OomSource::kNone;
  std::string reason;  // in one sentence; empty: there is no better one

  friend bool operator==(const SignalSource&, const SignalSource&) = default;
};

}  // namespace ballast::agent
