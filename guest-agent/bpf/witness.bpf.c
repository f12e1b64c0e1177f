// What the kernel does when memory runs out, seen at the moment it does it: the search for a victim, the kill, and the
// time tasks spend reclaiming memory themselves.
//
// A kill is a mark_oom_victim within __oom_kill_process within oom_kill_process. Marks alone are no kills: a task
// that is about to end anyway is marked, too. All of one kill happens on the thread whose allocation failed.
#include "kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kernel_event.h"

char LICENSE[] SEC("license") = "GPL";  // the kernel lets no other licence read its memory

#define INLINE static __always_inline  // older verifiers judge a call by its own, without what its caller knows
#define kNanosPerMicro 1000
#define kStallEventMinUs 10000         // shorter ones are counted only
#define kStallEventGapNs 100000000ULL  // at most ten a second
// The search for a victim begins anew for each MiB that a balloon gives back on OOM: a thousand times a second.
#define kBeginsEventGapNs 50000000ULL

struct ballast_stall_sums stalls = {};
__u64 last_stall_event_ns = 0;
__u64 last_begins_event_ns = 0;

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 64 * 1024);  // 45 kills at once; the agent's memory holds it twice
} events SEC(".maps");

// By thread: the kill that is going on.
struct kill_context {
  struct ballast_shortage shortage;
  struct mem_cgroup* memcg;
  __u32 killing;  // within __oom_kill_process, its mark still to come
};
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 64);
  __type(key, __u32);
  __type(value, struct kill_context);
} kills SEC(".maps");

// By thread: when its reclaim began. A cgroup's reclaim may happen within the global one.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 512);  // threads in reclaim at one time; the oldest makes room, and is not counted
  __type(key, __u32);
  __type(value, __u64);
} reclaims SEC(".maps"), cgroup_reclaims SEC(".maps");

INLINE __u32 this_thread(void) { return (__u32)bpf_get_current_pid_tgid(); }

INLINE void fill_shortage(struct oom_control* oc, struct ballast_shortage* shortage) {
  shortage->constraint = oc->constraint;
  shortage->order = oc->order;
  shortage->gfp_mask = oc->gfp_mask;
  shortage->of_cgroup = oc->memcg != 0;
}

SEC("fentry/out_of_memory")
int BPF_PROG(oom_begins, struct oom_control* oc) {
  const __u64 now = bpf_ktime_get_ns();
  if (now - last_begins_event_ns < kBeginsEventGapNs) return 0;
  last_begins_event_ns = now;
  struct ballast_oom_begins* event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;  // it is not kept anyway
  event->kind = kBallastOomBegins;
  event->unused = 0;
  event->at_ns = now;
  fill_shortage(oc, &event->shortage);
  bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
  return 0;
}

SEC("fentry/oom_kill_process")
int BPF_PROG(oom_kill_begins, struct oom_control* oc) {
  const __u32 thread = this_thread();
  struct kill_context context = {};
  fill_shortage(oc, &context.shortage);
  context.memcg = oc->memcg;
  bpf_map_update_elem(&kills, &thread, &context, BPF_ANY);
  return 0;
}

SEC("fexit/oom_kill_process")
int BPF_PROG(oom_kill_ends) {
  const __u32 thread = this_thread();
  bpf_map_delete_elem(&kills, &thread);
  return 0;
}

SEC("fentry/__oom_kill_process")
int BPF_PROG(oom_kill_one) {
  const __u32 thread = this_thread();
  struct kill_context* context = bpf_map_lookup_elem(&kills, &thread);
  if (context) context->killing = 1;
  return 0;
}

INLINE struct kernfs_node* parent_of(struct kernfs_node* node) {
  struct kernfs_node___before_6_15* before = (void*)node;
  struct kernfs_node___since_6_15* since = (void*)node;
  if (bpf_core_field_exists(before->parent)) return BPF_CORE_READ(before, parent);
  if (bpf_core_field_exists(since->__parent)) return BPF_CORE_READ(since, __parent);
  return 0;
}

INLINE void fill_cgroup(struct kernfs_node* node, struct ballast_cgroup* cgroup) {
  cgroup->levels = 0;
  cgroup->deeper = 0;
#pragma unroll
  for (int level = 0; level < kBallastCgroupLevels; ++level) {
    struct kernfs_node* parent = node ? parent_of(node) : 0;
    if (!parent) return;  // the root
    bpf_probe_read_kernel_str(cgroup->names[level], kBallastNameBytes, BPF_CORE_READ(node, name));
    cgroup->levels = level + 1;
    node = parent;
  }
  cgroup->deeper = parent_of(node) != 0;
}

INLINE __s64 rss_of(struct mm_struct* mm, int kind) {
  struct mm_struct___before_6_2* before = (void*)mm;
  struct mm_struct___since_6_2* since = (void*)mm;
  __s64 pages = 0;
  if (bpf_core_field_exists(before->rss_stat.count)) {
    bpf_core_read(&pages, sizeof(pages), &before->rss_stat.count[kind]);
  } else {
    bpf_core_read(&pages, sizeof(pages), &since->rss_stat[kind].count);
  }
  return pages;
}

INLINE void fill_sizes(struct mm_struct* mm, struct ballast_oom_kill* event) {
  event->total_vm_pages = BPF_CORE_READ(mm, total_vm);
  event->file_pages = rss_of(mm, 0);
  event->anon_pages = rss_of(mm, 1);
  event->shmem_pages = rss_of(mm, 3);
  event->page_table_bytes = BPF_CORE_READ(mm, pgtables_bytes.counter);
}

INLINE void fill_victim(struct task_struct* task, struct ballast_oom_kill* event) {
  event->pid = BPF_CORE_READ(task, tgid);
  event->tid = BPF_CORE_READ(task, pid);
  event->uid = BPF_CORE_READ(task, cred, uid.val);
  event->oom_score_adj = BPF_CORE_READ(task, signal, oom_score_adj);
  bpf_probe_read_kernel_str(event->comm, sizeof(event->comm), task->comm);
  struct mm_struct* mm = BPF_CORE_READ(task, mm);
  if (mm) fill_sizes(mm, event);
  fill_cgroup(BPF_CORE_READ(task, cgroups, dfl_cgrp, kn), &event->victim);
}

SEC("fentry/mark_oom_victim")
int BPF_PROG(oom_mark, struct task_struct* task) {
  const __u32 thread = this_thread();
  struct kill_context* context = bpf_map_lookup_elem(&kills, &thread);
  if (!context || !context->killing) return 0;
  context->killing = 0;
  struct ballast_oom_kill* event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return 0;  // the log or the count tells of it
  event->kind = kBallastOomKill;
  event->unused = 0;
  event->at_ns = bpf_ktime_get_ns();
  event->shortage = context->shortage;
  event->total_vm_pages = event->anon_pages = event->file_pages = event->shmem_pages = 0;
  event->page_table_bytes = 0;
  bpf_get_current_comm(event->asker_comm, sizeof(event->asker_comm));
  fill_victim(task, event);
  struct mem_cgroup* memcg = context->memcg;
  fill_cgroup(memcg ? BPF_CORE_READ(memcg, css.cgroup, kn) : 0, &event->limit);
  bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
  return 0;
}

INLINE int bucket_of(__u64 us) {
  int bucket = 0;
#pragma unroll
  for (int i = 1; i < kBallastStallBuckets; ++i) {
    if (us >> i) bucket = i;
  }
  return bucket;
}

// Ten a second and no more, whoever stalls: two threads at the same instant may both pass.
INLINE void tell_stall(__u64 now, __u64 us) {
  if (us < kStallEventMinUs || now - last_stall_event_ns < kStallEventGapNs) return;
  last_stall_event_ns = now;
  struct ballast_stall* event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
  if (!event) return;
  event->kind = kBallastStall;
  event->pid = bpf_get_current_pid_tgid() >> 32;
  event->at_ns = now;
  event->duration_us = us;
  bpf_get_current_comm(event->comm, sizeof(event->comm));
  bpf_ringbuf_submit(event, 0);
}

INLINE void begin(void* map) {
  const __u32 thread = this_thread();
  const __u64 now = bpf_ktime_get_ns();
  bpf_map_update_elem(map, &thread, &now, BPF_ANY);
}

SEC("tp_btf/mm_vmscan_direct_reclaim_begin")
int BPF_PROG(reclaim_begins) {
  begin(&reclaims);
  return 0;
}

SEC("tp_btf/mm_vmscan_direct_reclaim_end")
int BPF_PROG(reclaim_ends) {
  const __u32 thread = this_thread();
  const __u64* began = bpf_map_lookup_elem(&reclaims, &thread);
  if (!began) return 0;
  const __u64 now = bpf_ktime_get_ns();
  const __u64 us = (now - *began) / kNanosPerMicro;
  bpf_map_delete_elem(&reclaims, &thread);
  __sync_fetch_and_add(&stalls.count, 1);
  __sync_fetch_and_add(&stalls.total_us, us);
  const int bucket = bucket_of(us);
  if (bucket >= 0 && bucket < kBallastStallBuckets) __sync_fetch_and_add(&stalls.histogram[bucket], 1);
  if (us > stalls.longest_us) stalls.longest_us = us;
  tell_stall(now, us);
  return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_begin")
int BPF_PROG(cgroup_reclaim_begins) {
  begin(&cgroup_reclaims);
  return 0;
}

SEC("tp_btf/mm_vmscan_memcg_reclaim_end")
int BPF_PROG(cgroup_reclaim_ends) {
  const __u32 thread = this_thread();
  const __u64* began = bpf_map_lookup_elem(&cgroup_reclaims, &thread);
  if (!began) return 0;
  const __u64 us = (bpf_ktime_get_ns() - *began) / kNanosPerMicro;
  bpf_map_delete_elem(&cgroup_reclaims, &thread);
  __sync_fetch_and_add(&stalls.cgroup_count, 1);
  __sync_fetch_and_add(&stalls.cgroup_total_us, us);
  return 0;
}
