#include "guest-agent/oom/verdict_log.h"

namespace ballast::agent {

void VerdictLog::Add(const OomVerdict& verdict) {
  const std::lock_guard lock(mutex_);
  verdicts_[count_++ % kKept] = verdict;
}

void VerdictLog::VisitAfter(uint64_t id, const std::function<void(const OomVerdict&)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (size_t i = count_ > kKept ? count_ - kKept : 0; i < count_; ++i) {
    if (verdicts_[i % kKept].id <= id) continue;
    OomVerdict late = verdicts_[i % kKept];
    late.late = true;
    visit(late);
  }
}

}  // namespace ballast::agent
