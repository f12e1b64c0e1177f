#include "guest-agent/oom/kernel_facts.h"

#include <algorithm>
#include <string_view>

#include "guest-agent/oom/text_plan.h"

namespace ballast::agent {
namespace {

using kernel::OomConstraint;

template <size_t kSize>
std::string_view TextOf(const char (&bytes)[kSize]) {
  return {bytes, static_cast<size_t>(std::find(bytes, bytes + kSize, '\0') - bytes)};
}

// enum oom_constraint of the kernel.
OomConstraint ConstraintOf(int32_t number) {
  switch (number) {
    case 0:
      return OomConstraint::kNone;
    case 1:
      return OomConstraint::kCpuset;
    case 2:
      return OomConstraint::kMemoryPolicy;
    case 3:
      return OomConstraint::kMemcg;
    default:
      return OomConstraint::kUnknown;
  }
}

CgroupPath PathOf(const ballast_cgroup& cgroup) {
  CgroupPath path;
  if (cgroup.levels == 0) return std::string_view("/");
  if (cgroup.deeper != 0) AppendToPath("...", path);
  for (uint32_t level = std::min<uint32_t>(cgroup.levels, kBallastCgroupLevels); level > 0; --level) {
    AppendToPath(TextOf(cgroup.names[level - 1]), path);
  }
  return path;
}

MonotonicTime At(uint64_t ns) { return {static_cast<int64_t>(ns)}; }

int64_t Bytes(int64_t pages, int64_t page_size_bytes) {
  return std::max<int64_t>(pages, 0) * page_size_bytes;
}

}  // namespace

KillFacts ToFacts(const ballast_oom_kill& event, int64_t page_size_bytes) {
  return {.at = At(event.at_ns),
          .pid = event.pid,
          .tid = event.tid,
          .comm = CommFromKernel(TextOf(event.comm)),
          .cgroup = PathOf(event.victim),
          .uid = event.uid,
          .oom_score_adj = event.oom_score_adj,
          .total_vm_bytes = Bytes(event.total_vm_pages, page_size_bytes),
          .anon_bytes = Bytes(event.anon_pages, page_size_bytes),
          .file_bytes = Bytes(event.file_pages, page_size_bytes),
          .shmem_bytes = Bytes(event.shmem_pages, page_size_bytes),
          .page_table_bytes = std::max<int64_t>(event.page_table_bytes, 0),
          .constraint = ConstraintOf(event.shortage.constraint),
          .limit_cgroup = event.shortage.of_cgroup != 0 ? PathOf(event.limit) : CgroupPath(),
          .asker_comm = CommFromKernel(TextOf(event.asker_comm)),
          .order = event.shortage.order,
          .gfp_mask = event.shortage.gfp_mask};
}

OomBegins ToFacts(const ballast_oom_begins& event) {
  return {.at = At(event.at_ns),
          .cgroup = event.shortage.of_cgroup != 0,
          .order = event.shortage.order,
          .gfp_mask = event.shortage.gfp_mask};
}

ReclaimStall ToFacts(const ballast_stall& event) {
  return {.at = At(event.at_ns),
          .duration_us = static_cast<int64_t>(event.duration_us),
          .pid = event.pid,
          .comm = CommFromKernel(TextOf(event.comm))};
}

}  // namespace ballast::agent
