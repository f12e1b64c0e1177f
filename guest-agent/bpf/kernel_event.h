// What the programs in the kernel hand to the agent through the ring buffer; included by both, so plain C.
#pragma once

enum {
  kBallastNameBytes = 96,  // of one cgroup's name, its end included
  kBallastCgroupLevels = 6,
  kBallastStallBuckets = 20,
};

enum ballast_event_kind {
  kBallastOomBegins = 1,
  kBallastOomKill = 2,
  kBallastStall = 3,
};

// From the innermost cgroup outwards; the root is left out.
struct ballast_cgroup {
  char names[kBallastCgroupLevels][kBallastNameBytes];
  __u32 levels;
  __u32 deeper;  // not 0: outer levels are missing
};

// An allocation that found no memory.
struct ballast_shortage {
  __s32 constraint;  // enum oom_constraint of the kernel; valid in a kill
  __s32 order;
  __u32 gfp_mask;
  __u32 of_cgroup;  // not 0: a cgroup's limit
};

struct ballast_oom_begins {
  __u32 kind;  // comes first in each of them
  __u32 unused;
  __u64 at_ns;  // CLOCK_MONOTONIC
  struct ballast_shortage shortage;
};

struct ballast_oom_kill {
  __u32 kind;
  __u32 uid;
  __u64 at_ns;
  struct ballast_shortage shortage;
  char asker_comm[16];
  char comm[16];
  __s32 pid;  // of the process
  __s32 tid;  // of the thread the kernel's log names
  __s32 oom_score_adj;
  __u32 unused;
  __s64 total_vm_pages;
  __s64 anon_pages;
  __s64 file_pages;
  __s64 shmem_pages;
  __s64 page_table_bytes;
  struct ballast_cgroup victim;
  struct ballast_cgroup limit;  // valid when shortage.of_cgroup
};

struct ballast_stall {
  __u32 kind;
  __s32 pid;
  __u64 at_ns;  // its end
  __u64 duration_us;
  char comm[16];
};

// Kept in memory that the agent maps: reading it costs nothing.
struct ballast_stall_sums {
  __u64 count;
  __u64 total_us;
  __u64 longest_us;
  __u64 histogram[kBallastStallBuckets];
  __u64 cgroup_count;
  __u64 cgroup_total_us;
};

// The same, for the watch of memory: the agent arms it by writing here, at any time. Pages are of free
// memory, page cache and reclaimable slab.
struct ballast_watch {
  __u64 period_ns;     // between two looks
  __s64 lowest_pages;  // fewer, or more than the highest, and the agent is woken
  __s64 highest_pages;
  __u64 most_stalled_us;  // ballast_stall_sums.total_us above which it is, too
  __u64 armed;            // 0: it only looks; set by the agent, cleared when it was woken
  __u64 next_at_ns;       // of the next look, CLOCK_MONOTONIC; 0: there was none yet
  __u64 calm_at_ns;       // the last look that found nothing while armed
  __s64 calm_pages;
};
