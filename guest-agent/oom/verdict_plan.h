// From what several sources saw of OOM kills to exactly one verdict for each. The programs in the kernel see
// a kill first and know most; the kernel's log says nearly as much, a moment later; its counter says only
// that there was one. Any of them may be missing, or miss some.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/fixed_text.h"
#include "common/base/time.h"
#include "common/kernel/oom_log_parser.h"

namespace ballast::agent {

enum class OomSource : uint8_t { kNone, kCounters, kKmsg, kBpf };

// Whose shortage it was.
enum class OomScope : uint8_t { kUnknown, kGuest, kCgroup, kHost };

using Comm = FixedText<16>;         // of the kernel, 15 bytes at most
using CgroupPath = FixedText<256>;  // below the mount; longer ones are cut

// One kill as a source saw it. Names are valid UTF-8. 0 or empty: the source does not tell.
struct KillFacts {
  MonotonicTime at;
  int32_t pid = 0;  // of the process
  int32_t tid = 0;  // of the thread the kernel names; mostly the same
  Comm comm;
  CgroupPath cgroup;
  uint32_t uid = 0;
  std::optional<int32_t> oom_score_adj;
  int64_t total_vm_bytes = 0;
  int64_t anon_bytes = 0;
  int64_t file_bytes = 0;
  int64_t shmem_bytes = 0;
  int64_t page_table_bytes = 0;

  kernel::OomConstraint constraint = kernel::OomConstraint::kUnknown;
  CgroupPath limit_cgroup;  // empty: the guest itself ran out
  Comm asker_comm;          // the task whose allocation failed
  int32_t order = 0;        // -1: an operator asked for it
  std::optional<uint32_t> gfp_mask;

  friend bool operator==(const KillFacts&, const KillFacts&) = default;
};

// The guest when it was last looked at. Absent: not known.
struct GuestCondition {
  int64_t total_bytes = 0;
  std::optional<int64_t> available_bytes;
  std::optional<int64_t> balloon_bytes;

  friend bool operator==(const GuestCondition&, const GuestCondition&) = default;
};

struct OomVerdict {
  uint64_t id = 0;  // counts from 1
  OomSource source = OomSource::kNone;
  OomScope scope = OomScope::kUnknown;
  KillFacts kill;
  bool kernel_zones_short = false;  // what was short cannot come from a Movable zone
  std::string_view advice;          // one sentence out of a fixed list
  std::optional<int64_t> available_bytes;
  std::optional<int64_t> balloon_bytes;
  int64_t kills = 1;  // more than one: only counted, nobody saw who
  bool late = false;

  friend bool operator==(const OomVerdict&, const OomVerdict&) = default;
};

// The sources there are. A kill that a better one may still tell of is held back for a moment.
struct OomSources {
  bool bpf = false;
  bool kmsg = false;
};

class VerdictPlan {
 public:
  // What a source may lag behind a better one, and the counter's readers behind both.
  static constexpr Nanos kLogGrace = Milliseconds(250);
  static constexpr Nanos kCounterGrace = Seconds(1);
  // Kills of one process further apart are two.
  static constexpr Nanos kSameKill = Seconds(10);

  explicit VerdictPlan(OomSources sources) : sources_(sources) {}

  // Whatever the programs in the kernel saw is to be told before what the log says of the same time.
  void OnKernelKill(const KillFacts& kill);
  void OnLogLine(const kernel::OomLine& line, MonotonicTime now);
  // The kernel's count of kills since boot; the first one is where counting begins.
  void OnCounter(int64_t total, MonotonicTime now);

  // The next verdict that is due, with the guest's condition as known; nothing: none is.
  [[nodiscard]] std::optional<OomVerdict> Next(const GuestCondition& guest, MonotonicTime now);
  // When Next may have one without anything new; the counter should be told before.
  [[nodiscard]] std::optional<MonotonicTime> NextDue() const;
  // Kills that were dropped because more waited than there is room for; the counter finds them.
  [[nodiscard]] int64_t Overflowed() const { return overflowed_; }

 private:
  static constexpr size_t kRoom = 64;

  struct Seen {
    KillFacts kill;
    OomSource source = OomSource::kNone;
    MonotonicTime due;
    bool doubtful = false;  // perhaps one that was counted already
  };
  // How often each of the two that know who it was told of a kill. A process that dies with its whole cgroup
  // is killed, and counted, twice by the kernel.
  struct Known {
    int32_t pid = 0;
    int32_t tid = 0;
    MonotonicTime at;
    int64_t in_kernel = 0;
    int64_t in_log = 0;
  };

  void OnKilled(const kernel::OomKilled& killed, MonotonicTime now);
  void Add(const KillFacts& kill, OomSource source, MonotonicTime due);
  [[nodiscard]] KillFacts FromLog(const kernel::OomKilled& killed, MonotonicTime now);
  // Whether nobody told of this process before; now `by` did.
  [[nodiscard]] bool IsNew(const KillFacts& kill, int64_t Known::*by);
  void Improve(const KillFacts& kill);
  void Remove(size_t index);
  [[nodiscard]] int64_t Unexplained() const;
  void ResolveDoubts();
  [[nodiscard]] OomVerdict Make(const KillFacts& kill, OomSource source, const GuestCondition& guest);

  OomSources sources_;
  std::array<Seen, kRoom> seen_;  // waiting to be told, oldest first
  size_t seen_count_ = 0;
  std::array<Known, kRoom> known_;  // a ring
  size_t known_count_ = 0;          // ever

  // Of the log's present kill.
  struct LogContext {
    Comm asker;
    std::optional<uint32_t> gfp_mask;
    int32_t order = 0;
    kernel::OomConstraint constraint = kernel::OomConstraint::kUnknown;
    CgroupPath limit_cgroup;
    CgroupPath cgroup;  // of the chosen one
    uint32_t uid = 0;
    int32_t chosen_pid = 0;  // 0: none, or it was told of
  };
  LogContext log_;

  std::optional<int64_t> counted_from_;
  int64_t counted_ = 0;    // since then
  int64_t explained_ = 0;  // by verdicts
  int64_t anonymous_ = 0;  // of these by the counter alone, that may still be told of
  MonotonicTime anonymous_at_;
  std::optional<MonotonicTime> unexplained_since_;
  uint64_t last_id_ = 0;
  int64_t overflowed_ = 0;
};

}  // namespace ballast::agent
