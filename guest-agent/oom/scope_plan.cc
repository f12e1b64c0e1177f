#include "guest-agent/oom/scope_plan.h"

#include <algorithm>

#include "common/base/units.h"

namespace ballast::agent {
namespace {

using kernel::OomConstraint;

// The two of the kernel's allocation flags without both of which a zone named Movable is out of question;
// their values have been the same since 2.6.
constexpr uint32_t kHighmem = 0x02;
constexpr uint32_t kMovable = 0x08;
constexpr int32_t kAskedByOperator = -1;

constexpr std::string_view kNobodySaw =
    "Only the kernel's count of kills told of it: let the agent use BPF (CAP_BPF, CAP_PERFMON) or read "
    "/dev/kmsg "
    "(CAP_SYSLOG) to learn who was killed and why.";
constexpr std::string_view kOperator = "An operator asked the kernel for it (sysrq f): no memory was short.";
constexpr std::string_view kLimit =
    "A cgroup reached its own limit: raise its memory.max or make its programs use less; more memory for the "
    "guest "
    "would not have helped.";
constexpr std::string_view kCpuset =
    "The memory nodes of a cpuset were used up: allow it more nodes; more memory elsewhere would not have "
    "helped.";
constexpr std::string_view kPolicy =
    "The memory nodes of a process's memory policy were used up: allow it more nodes; more memory elsewhere "
    "would "
    "not have helped.";
constexpr std::string_view kBalloon =
    "The host held the missing memory in the balloon: raise this guest's floor or its weight, or give the "
    "host more "
    "room.";
constexpr std::string_view kGuest =
    "The guest used up all it had: raise its ceiling, give it swap (zram), or make its programs use less.";
constexpr std::string_view kKernelZones =
    "The zones that the kernel itself lives in were used up: more movable memory would not have helped; add "
    "memory "
    "to a kernel zone.";

void JudgeGlobal(const GuestCondition& guest, OomVerdict& verdict) {
  if (verdict.kill.order == kAskedByOperator) {
    verdict.advice = kOperator;
    return;
  }
  constexpr uint32_t kBoth = kHighmem | kMovable;
  verdict.kernel_zones_short = verdict.kill.gfp_mask && (*verdict.kill.gfp_mask & kBoth) != kBoth;
  if (guest.balloon_bytes.value_or(0) >= BalloonThatMatters(guest.total_bytes)) {
    verdict.scope = OomScope::kHost;
    verdict.advice = kBalloon;
    return;
  }
  verdict.scope = OomScope::kGuest;
  const bool movable_left =
      verdict.kernel_zones_short && guest.available_bytes.value_or(0) > guest.total_bytes / 4;
  verdict.advice = movable_left ? kKernelZones : kGuest;
}

}  // namespace

int64_t BalloonThatMatters(int64_t total_bytes) { return std::max(total_bytes / 64, 16 * kMiB); }

void JudgeScope(const GuestCondition& guest, OomVerdict& verdict) {
  verdict.scope = OomScope::kUnknown;
  verdict.advice = kNobodySaw;
  if (verdict.source == OomSource::kCounters) return;
  switch (verdict.kill.constraint) {
    case OomConstraint::kNone:
      JudgeGlobal(guest, verdict);
      return;
    case OomConstraint::kMemcg:
      verdict.advice = kLimit;
      break;
    case OomConstraint::kCpuset:
      verdict.advice = kCpuset;
      break;
    case OomConstraint::kMemoryPolicy:
      verdict.advice = kPolicy;
      break;
    case OomConstraint::kUnknown:
      verdict.advice = "The kernel's log does not say what the limit was: see its lines around this kill.";
      return;
  }
  verdict.scope = OomScope::kCgroup;
}

}  // namespace ballast::agent
