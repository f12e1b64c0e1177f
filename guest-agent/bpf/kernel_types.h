// The few kernel types the programs look into. Every access is relocated to the running kernel's layout
// (CO-RE), so the order and the size of what is declared here do not matter, only names and types; a dump of
// one kernel's types would be 100,000 lines. `___` and what follows is left out when the kernel's type is
// looked up: two layouts of one type, of which the program asks for the one this kernel has.
#pragma once

#define __VMLINUX_H__  // or bpf_tracing.h takes user space's names of registers

typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

enum bpf_map_type {
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_RINGBUF = 27,
};

enum oom_constraint { CONSTRAINT_NONE };

// Their values are relocated, too.
enum zone_stat_item { NR_FREE_PAGES };
enum node_stat_item { NR_INACTIVE_FILE, NR_ACTIVE_FILE, NR_SLAB_RECLAIMABLE_B };

// Found by its name in a map's value.
struct bpf_timer {
  __u64 opaque[2];
};

enum {
  BPF_ANY = 0,
  BPF_RB_FORCE_WAKEUP = 2,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

// A directory of cgroupfs.
struct kernfs_node {
  const char* name;
};
struct kernfs_node___before_6_15 {
  struct kernfs_node* parent;
};
struct kernfs_node___since_6_15 {
  struct kernfs_node* __parent;
};

struct cgroup {
  struct kernfs_node* kn;
};

struct css_set {
  struct cgroup* dfl_cgrp;
};

struct cgroup_subsys_state {
  struct cgroup* cgroup;
};

struct mem_cgroup {
  struct cgroup_subsys_state css;
};

typedef struct {
  long counter;
} atomic_long_t;

struct mm_struct {
  unsigned long total_vm;
  atomic_long_t pgtables_bytes;
};
struct mm_rss_stat {
  atomic_long_t count[4];
};
struct mm_struct___before_6_2 {
  struct mm_rss_stat rss_stat;
};
struct percpu_counter {
  __s64 count;
};
struct mm_struct___since_6_2 {
  struct percpu_counter rss_stat[4];
};

typedef struct {
  __u32 val;
} kuid_t;

struct cred {
  kuid_t uid;
};

struct signal_struct {
  short oom_score_adj;
};

struct task_struct {
  int pid;
  int tgid;
  char comm[16];
  struct mm_struct* mm;
  const struct cred* cred;
  struct signal_struct* signal;
  struct css_set* cgroups;
};

struct oom_control {
  struct mem_cgroup* memcg;
  unsigned int gfp_mask;
  int order;
  enum oom_constraint constraint;
};

#pragma clang attribute pop
