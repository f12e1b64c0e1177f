#include "guest-agent/service/convert_event.h"

#include <string>
#include <string_view>

#include "guest-agent/service/convert_ask.h"
#include "guest-agent/service/convert_blocks.h"

namespace ballast::agent {
namespace {

void Fill(const OomKills& from, guest::v1::Event& to) {
  to.mutable_oom_kill()->set_kills(from.kills);
  to.mutable_oom_kill()->set_total(from.total);
}

void Fill(const PressureTriggered& from, guest::v1::Event& to) {
  to.mutable_pressure_trigger()->set_threshold_us(from.threshold_us);
  to.mutable_pressure_trigger()->set_window_us(from.window_us);
}

void Fill(const BalloonShrank& from, guest::v1::Event& to) {
  to.mutable_balloon_shrank()->set_bytes(from.bytes);
}

guest::v1::OomVerdict::Scope ScopeOf(OomScope scope) {
  switch (scope) {
    case OomScope::kGuest:
      return guest::v1::OomVerdict::SCOPE_GUEST;
    case OomScope::kCgroup:
      return guest::v1::OomVerdict::SCOPE_CGROUP;
    case OomScope::kHost:
      return guest::v1::OomVerdict::SCOPE_HOST;
    case OomScope::kUnknown:
      break;
  }
  return guest::v1::OomVerdict::SCOPE_UNSPECIFIED;
}

guest::v1::OomVerdict::Constraint ConstraintOf(kernel::OomConstraint constraint) {
  switch (constraint) {
    case kernel::OomConstraint::kNone:
      return guest::v1::OomVerdict::CONSTRAINT_NONE;
    case kernel::OomConstraint::kCpuset:
      return guest::v1::OomVerdict::CONSTRAINT_CPUSET;
    case kernel::OomConstraint::kMemoryPolicy:
      return guest::v1::OomVerdict::CONSTRAINT_MEMORY_POLICY;
    case kernel::OomConstraint::kMemcg:
      return guest::v1::OomVerdict::CONSTRAINT_MEMCG;
    case kernel::OomConstraint::kUnknown:
      break;
  }
  return guest::v1::OomVerdict::CONSTRAINT_UNSPECIFIED;
}

std::string Text(std::string_view text) { return std::string(text); }

void FillVictim(const KillFacts& from, guest::v1::OomVerdict& to) {
  to.set_pid(from.pid);
  to.set_comm(Text(from.comm.View()));
  to.set_cgroup(Text(from.cgroup.View()));
  to.set_uid(from.uid);
  if (from.oom_score_adj) to.set_oom_score_adj(*from.oom_score_adj);
  to.set_total_vm_bytes(from.total_vm_bytes);
  to.set_anon_bytes(from.anon_bytes);
  to.set_file_bytes(from.file_bytes);
  to.set_shmem_bytes(from.shmem_bytes);
  to.set_page_table_bytes(from.page_table_bytes);
}

void Fill(const OomVerdict& from, guest::v1::Event& event) {
  auto& to = *event.mutable_oom_verdict();
  to.set_id(from.id);
  to.set_source(ToWire(from.source));
  to.set_scope(ScopeOf(from.scope));
  to.set_constraint(ConstraintOf(from.kill.constraint));
  to.set_advice(Text(from.advice));
  FillVictim(from.kill, to);
  to.set_limit_cgroup(Text(from.kill.limit_cgroup.View()));
  to.set_asker_comm(Text(from.kill.asker_comm.View()));
  to.set_order(from.kill.order);
  if (from.kill.gfp_mask) to.set_gfp_mask(*from.kill.gfp_mask);
  to.set_kernel_zones_short(from.kernel_zones_short);
  if (from.available_bytes) to.set_available_bytes(*from.available_bytes);
  if (from.balloon_bytes) to.set_balloon_bytes(*from.balloon_bytes);
  to.set_late(from.late);
  to.set_kills(from.kills);
}

void Fill(const OomBegins& from, guest::v1::Event& to) {
  to.mutable_oom_begins()->set_cgroup(from.cgroup);
  to.mutable_oom_begins()->set_order(from.order);
  to.mutable_oom_begins()->set_gfp_mask(from.gfp_mask);
}

void Fill(const ReclaimStall& from, guest::v1::Event& to) {
  to.mutable_reclaim_stall()->set_duration_us(from.duration_us);
  to.mutable_reclaim_stall()->set_pid(from.pid);
  to.mutable_reclaim_stall()->set_comm(Text(from.comm.View()));
}
void Fill(const MemoryRequested& from, guest::v1::Event& to) {
  FillRequest(from, *to.mutable_memory_request());
}

void Fill(const BlocksChanged& from, guest::v1::Event& to) {
  FillChanges(*from.ranges, *to.mutable_blocks_changed());
}

}  // namespace

guest::v1::Source ToWire(OomSource source) {
  switch (source) {
    case OomSource::kCounters:
      return guest::v1::SOURCE_COUNTERS;
    case OomSource::kKmsg:
      return guest::v1::SOURCE_KMSG;
    case OomSource::kBpf:
      return guest::v1::SOURCE_BPF;
    case OomSource::kNone:
      break;
  }
  return guest::v1::SOURCE_UNSPECIFIED;
}

void FillEvent(const EventFacts& facts, guest::v1::Event& event) {
  event.set_monotonic_ns(facts.at.ns);
  std::visit([&event](const auto& what) { Fill(what, event); }, facts.what);
}

}  // namespace ballast::agent
