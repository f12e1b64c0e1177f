// Looks at what memory is left as often as the agent would, and wakes it when that changed: a timer's look costs a few
// microseconds, an agent's wake-up some tens, and most looks find nothing.
//
// What is looked at is what MemAvailable is mostly made of: free pages, the page cache and what slab can give back. The
// agent knows the same sum from the same counters (/proc/meminfo).
#include "kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kernel_event.h"

char LICENSE[] SEC("license") = "GPL";

#define INLINE static __always_inline
#define kClockMonotonic 1
#define kFirstLookNs 100000000ULL
#define kShortestPeriodNs 1000000ULL

extern struct ballast_stall_sums stalls;  // of witness.bpf.c
struct ballast_watch watch = {};          // the agent writes what is to be watched for
__u64 zone_counters = 0;
__u64 node_counters = 0;

struct watch_clock {
  struct bpf_timer timer;
};
// The timer ends with the last descriptor of this map.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct watch_clock);
} watch_clocks SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} watch_events SEC(".maps");

INLINE __s64 counter_of(__u64 counters, __u64 index) {
  __s64 pages = 0;
  bpf_probe_read_kernel(&pages, sizeof(pages), (const void*)(counters + index * sizeof(long)));
  return pages < 0 ? 0 : pages;  // processors keep parts of a count to themselves, as the kernel's own readers know
}

INLINE __s64 pages_left(void) {
  return counter_of(zone_counters, bpf_core_enum_value(enum zone_stat_item, NR_FREE_PAGES)) +
         counter_of(node_counters, bpf_core_enum_value(enum node_stat_item, NR_ACTIVE_FILE)) +
         counter_of(node_counters, bpf_core_enum_value(enum node_stat_item, NR_INACTIVE_FILE)) +
         counter_of(node_counters, bpf_core_enum_value(enum node_stat_item, NR_SLAB_RECLAIMABLE_B));
}

static int look(void* map, int* key, struct bpf_timer* timer) {
  const __u64 now = bpf_ktime_get_ns();
  if (watch.armed) {
    const __s64 pages = pages_left();
    if (pages < watch.lowest_pages || pages > watch.highest_pages || stalls.total_us > watch.most_stalled_us) {
      watch.armed = 0;
      bpf_ringbuf_output(&watch_events, (void*)&now, sizeof(now), BPF_RB_FORCE_WAKEUP);
    } else {
      watch.calm_pages = pages;
      watch.calm_at_ns = now;
    }
  }
  __u64 period = watch.period_ns;
  if (period < kShortestPeriodNs) period = kShortestPeriodNs;
  watch.next_at_ns = now + period;
  bpf_timer_start(timer, period, 0);
  return 0;
}

// Run once, by the agent. Not 0: the kernel does not tell where its counters are (1), or starts no timer (2).
SEC("syscall")
int watch_begins(void* context) {
  static const char zones[] = "vm_zone_stat";
  static const char nodes[] = "vm_node_stat";
  __u64 address = 0;
  if (bpf_kallsyms_lookup_name(zones, sizeof(zones), 0, &address)) return 1;
  zone_counters = address;
  if (bpf_kallsyms_lookup_name(nodes, sizeof(nodes), 0, &address)) return 1;
  node_counters = address;
  const __u32 first = 0;
  struct watch_clock* clock = bpf_map_lookup_elem(&watch_clocks, &first);
  if (!clock || bpf_timer_init(&clock->timer, &watch_clocks, kClockMonotonic) ||
      bpf_timer_set_callback(&clock->timer, look) || bpf_timer_start(&clock->timer, kFirstLookNs, 0)) {
    return 2;
  }
  return 0;
}
