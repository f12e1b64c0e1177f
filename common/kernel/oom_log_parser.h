// The lines the kernel's OOM killer writes into its log (/dev/kmsg). Names in them are chosen by the
// processes themselves, up to whole sentences that look like the kernel's: every line is read from its end,
// where only the kernel writes, and lines that a process wrote into /dev/kmsg are not the kernel's
// (facility).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"

namespace ballast::kernel {

// One record as read(2) returns it: "prio,seq,usec,flags[,...];text\n[ KEY=value\n]...".
struct KmsgRecord {
  int32_t facility = 0;  // 0: the kernel itself; processes cannot write that
  uint64_t sequence = 0;
  int64_t time_us = 0;    // the log's own clock, about that of CLOCK_MONOTONIC
  std::string_view text;  // without its end; control characters, backslashes and bytes above 126 as "\xNN"

  friend bool operator==(const KmsgRecord&, const KmsgRecord&) = default;
};

// Errors: InvalidArgument naming the part that is wrong. Allocates nothing unless it fails.
[[nodiscard]] absl::StatusOr<KmsgRecord> ParseKmsgRecord(std::string_view record);

// "COMM invoked oom-killer: gfp_mask=0x140dca(...), order=0, oom_score_adj=0": the search begins.
struct OomInvoked {
  std::string_view comm;  // the task whose allocation failed
  uint32_t gfp_mask = 0;
  int32_t order = 0;  // -1: an operator asked for it (sysrq)

  friend bool operator==(const OomInvoked&, const OomInvoked&) = default;
};

enum class OomConstraint : uint8_t { kUnknown, kNone, kCpuset, kMemoryPolicy, kMemcg };

// "oom-kill:constraint=CONSTRAINT_MEMCG,...,oom_memcg=/a,task_memcg=/a,task=COMM,pid=134,uid=0": a victim was
// chosen.
struct OomChosen {
  OomConstraint constraint = OomConstraint::kUnknown;
  std::string_view limit_cgroup;  // empty: the guest itself ran out
  std::string_view cgroup;        // of the victim
  std::string_view comm;
  int32_t pid = 0;
  uint32_t uid = 0;

  friend bool operator==(const OomChosen&, const OomChosen&) = default;
};

// "Out of memory: Killed process 104 (COMM) total-vm:923616kB, ...": it was killed. Of a group that dies
// together each process has a line of its own.
struct OomKilled {
  int32_t pid = 0;  // of the thread that was found to have memory: mostly the process
  std::string_view comm;
  int64_t total_vm_bytes = 0;
  int64_t anon_bytes = 0;
  int64_t file_bytes = 0;
  int64_t shmem_bytes = 0;
  std::optional<uint32_t> uid;
  std::optional<int64_t> page_table_bytes;
  std::optional<int32_t> oom_score_adj;

  friend bool operator==(const OomKilled&, const OomKilled&) = default;
};

using OomLine = std::variant<OomInvoked, OomChosen, OomKilled>;

// Nothing: the record is none of these lines, or not the kernel's own, or cut off. Views into the record.
// Allocates nothing.
[[nodiscard]] std::optional<OomLine> ParseOomLine(const KmsgRecord& record);

}  // namespace ballast::kernel
