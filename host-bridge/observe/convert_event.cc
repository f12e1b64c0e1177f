#include "host-bridge/observe/convert_event.h"

#include <algorithm>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "host-bridge/observe/checker.h"

namespace ballast::observe {
namespace {

namespace wire = ballast::guest::v1;

constexpr size_t kMostName = 32;     // the kernel's names of tasks have 15 bytes
constexpr size_t kMostPath = 256;    // of a cgroup
constexpr size_t kMostAdvice = 300;  // one sentence

policy::OomSource SourceOf(wire::Source source) {
  switch (source) {
    case wire::SOURCE_COUNTERS:
      return policy::OomSource::kCounters;
    case wire::SOURCE_KMSG:
      return policy::OomSource::kKernelLog;
    case wire::SOURCE_BPF:
      return policy::OomSource::kBpf;
    default:
      return policy::OomSource::kUnknown;
  }
}

policy::OomScope ScopeOf(wire::OomVerdict::Scope scope) {
  switch (scope) {
    case wire::OomVerdict::SCOPE_GUEST:
      return policy::OomScope::kGuest;
    case wire::OomVerdict::SCOPE_CGROUP:
      return policy::OomScope::kCgroup;
    case wire::OomVerdict::SCOPE_HOST:
      return policy::OomScope::kHost;
    default:
      return policy::OomScope::kUnknown;
  }
}

policy::OomConstraint ConstraintOf(wire::OomVerdict::Constraint constraint) {
  switch (constraint) {
    case wire::OomVerdict::CONSTRAINT_NONE:
      return policy::OomConstraint::kNone;
    case wire::OomVerdict::CONSTRAINT_CPUSET:
      return policy::OomConstraint::kCpuset;
    case wire::OomVerdict::CONSTRAINT_MEMORY_POLICY:
      return policy::OomConstraint::kMemoryPolicy;
    case wire::OomVerdict::CONSTRAINT_MEMCG:
      return policy::OomConstraint::kMemcg;
    default:
      return policy::OomConstraint::kUnknown;
  }
}

absl::Status CheckVerdict(const wire::OomVerdict& verdict) {
  Checker check;
  const auto id = static_cast<int64_t>(std::min<uint64_t>(verdict.id(), kMaxCount + 1));
  check.InRange("oom_verdict.id", id, 1, kMaxCount);
  check.InRange("oom_verdict.pid", verdict.pid(), 0, INT32_MAX);
  check.InRange("oom_verdict.order", verdict.order(), -1, 64);
  check.InRange("oom_verdict.total_vm_bytes", verdict.total_vm_bytes(), 0, kMaxCount);
  check.InRange("oom_verdict.anon_bytes", verdict.anon_bytes(), 0, kMaxMemory);
  check.InRange("oom_verdict.file_bytes", verdict.file_bytes(), 0, kMaxMemory);
  check.InRange("oom_verdict.shmem_bytes", verdict.shmem_bytes(), 0, kMaxMemory);
  check.InRange("oom_verdict.page_table_bytes", verdict.page_table_bytes(), 0, kMaxMemory);
  check.InRange("oom_verdict.available_bytes", verdict.available_bytes(), 0, kMaxMemory);
  check.InRange("oom_verdict.balloon_bytes", verdict.balloon_bytes(), 0, kMaxMemory);
  check.InRange("oom_verdict.kills", verdict.kills(), 0, kMaxCount);
  return check.status();
}

policy::Urgency UrgencyOf(wire::Urgency urgency) {
  switch (urgency) {
    case wire::URGENCY_LOW:
      return policy::Urgency::kLow;
    case wire::URGENCY_KILL:
      return policy::Urgency::kKill;
    default:
      return policy::Urgency::kNormal;
  }
}

}  // namespace

std::string CleanText(std::string_view text, size_t most) {
  std::string clean(text.substr(0, most));
  for (char& c : clean) {
    if (c < ' ' || c > '~') c = '?';
  }
  return clean;
}

absl::StatusOr<policy::OomVerdict> ConvertVerdict(const wire::OomVerdict& verdict,
                                                  const ReportContext& context) {
  if (const absl::Status status = CheckVerdict(verdict); !status.ok()) return status;
  policy::OomVerdict converted;
  converted.heard_at = context.received_at;
  converted.id = static_cast<int64_t>(verdict.id());
  converted.generation = static_cast<int64_t>(context.agent_generation);
  converted.source = SourceOf(verdict.source());
  converted.scope = ScopeOf(verdict.scope());
  converted.constraint = ConstraintOf(verdict.constraint());
  converted.advice = CleanText(verdict.advice(), kMostAdvice);
  converted.pid = verdict.pid();
  converted.comm = CleanText(verdict.comm(), kMostName);
  converted.cgroup = CleanText(verdict.cgroup(), kMostPath);
  converted.limit_cgroup = CleanText(verdict.limit_cgroup(), kMostPath);
  converted.asker_comm = CleanText(verdict.asker_comm(), kMostName);
  converted.order = verdict.order();
  converted.anon_bytes = verdict.anon_bytes();
  converted.file_bytes = verdict.file_bytes();
  converted.shmem_bytes = verdict.shmem_bytes();
  if (verdict.has_available_bytes()) converted.available_bytes = verdict.available_bytes();
  if (verdict.has_balloon_bytes()) converted.balloon_bytes = verdict.balloon_bytes();
  converted.kernel_zones_short = verdict.kernel_zones_short();
  converted.late = verdict.late();
  converted.kills = std::max<int64_t>(1, verdict.kills());
  return converted;
}

absl::StatusOr<policy::MemoryRequest> ConvertRequest(const wire::Event& event, const ReportContext& context) {
  const wire::MemoryRequest& request = event.memory_request();
  Checker check;
  const auto id = static_cast<int64_t>(std::min<uint64_t>(request.id(), kMaxCount + 1));
  check.InRange("memory_request.id", id, 1, kMaxCount);
  check.InRange("memory_request.bytes", request.bytes(), 1, int64_t{1} << 50);
  check.InRange("memory_request.deadline_ms", request.deadline_ms(), 1, 60'000);
  check.InRange("monotonic_ns", event.monotonic_ns(), 0, kMaxCount);
  if (!check.status().ok()) return check.status();
  MonotonicTime asked_at = context.received_at;
  if (context.clock_offset) {
    asked_at = std::min(asked_at, MonotonicTime{event.monotonic_ns()} + context.clock_offset->offset);
  }
  return policy::MemoryRequest{.id = id,
                               .bytes = request.bytes(),
                               .urgency = UrgencyOf(request.urgency()),
                               .deadline = asked_at + Milliseconds(request.deadline_ms())};
}

}  // namespace ballast::observe
