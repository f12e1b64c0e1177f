#include "guest-agent/oom/kernel_facts.h"

#include <gtest/gtest.h>

#include <cstring>

namespace ballast::agent {
namespace {

void AddLevel(const char* name, ballast_cgroup& cgroup) {
  std::strncpy(cgroup.names[cgroup.levels++], name, kBallastNameBytes - 1);
}

ballast_oom_kill Kill() {
  ballast_oom_kill event{};
  event.kind = kBallastOomKill;
  event.uid = 1000;
  event.at_ns = 42;
  event.pid = 10;
  event.tid = 12;
  std::memcpy(event.comm, "sixteen bytes!!!", sizeof event.comm);  // as it never comes: without an end
  std::strcpy(event.asker_comm, "asker");
  event.oom_score_adj = -17;
  event.total_vm_pages = 100;
  event.anon_pages = 50;
  event.file_pages = -3;  // its counters may be below zero for a moment
  event.shmem_pages = 7;
  event.page_table_bytes = 8192;
  event.shortage = {.constraint = 3, .order = 2, .gfp_mask = 0xcc0, .of_cgroup = 1};
  AddLevel("inner", event.victim);
  AddLevel("outer", event.victim);
  AddLevel("outer", event.limit);
  return event;
}

TEST(KernelFacts, AKill) {
  const KillFacts facts = ToFacts(Kill(), 4096);
  EXPECT_EQ(facts.at.ns, 42);
  EXPECT_EQ(facts.pid, 10);
  EXPECT_EQ(facts.tid, 12);
  EXPECT_EQ(facts.uid, 1000u);
  EXPECT_EQ(facts.comm.View(), "sixteen bytes!!!");
  EXPECT_EQ(facts.asker_comm.View(), "asker");
  EXPECT_EQ(facts.oom_score_adj, -17);
  EXPECT_EQ(facts.total_vm_bytes, 409600);
  EXPECT_EQ(facts.anon_bytes, 204800);
  EXPECT_EQ(facts.file_bytes, 0);
  EXPECT_EQ(facts.shmem_bytes, 28672);
  EXPECT_EQ(facts.page_table_bytes, 8192);
  EXPECT_EQ(facts.constraint, kernel::OomConstraint::kMemcg);
  EXPECT_EQ(facts.order, 2);
  EXPECT_EQ(facts.gfp_mask, 0xcc0u);
  EXPECT_EQ(facts.cgroup.View(), "/outer/inner");
  EXPECT_EQ(facts.limit_cgroup.View(), "/outer");
}

TEST(KernelFacts, TheRootAndWhatIsDeeperThanTheProgramsLook) {
  ballast_oom_kill event = Kill();
  event.victim.levels = 0;
  event.shortage.of_cgroup = 0;
  KillFacts facts = ToFacts(event, 4096);
  EXPECT_EQ(facts.cgroup.View(), "/");
  EXPECT_TRUE(facts.limit_cgroup.IsEmpty());
  event.victim.levels = 2;
  event.victim.deeper = 1;
  EXPECT_EQ(ToFacts(event, 4096).cgroup.View(), "/.../outer/inner");
  event.victim.levels = 1000;  // never, but then no further than there is
  EXPECT_TRUE(ToFacts(event, 4096).cgroup.View().ends_with("/outer/inner"));
}

TEST(KernelFacts, EachConstraintByItsNumber) {
  const kernel::OomConstraint constraints[] = {
      kernel::OomConstraint::kNone, kernel::OomConstraint::kCpuset, kernel::OomConstraint::kMemoryPolicy,
      kernel::OomConstraint::kMemcg, kernel::OomConstraint::kUnknown};
  for (int32_t number = 0; number < 5; ++number) {
    ballast_oom_kill event = Kill();
    event.shortage.constraint = number;
    EXPECT_EQ(ToFacts(event, 4096).constraint, constraints[number]);
  }
}

TEST(KernelFacts, TheOtherTwo) {
  ballast_oom_begins begins{};
  begins.at_ns = 5;
  begins.shortage = {.constraint = 0, .order = -1, .gfp_mask = 7, .of_cgroup = 1};
  EXPECT_EQ(ToFacts(begins), (OomBegins{.at = {5}, .cgroup = true, .order = -1, .gfp_mask = 7}));
  ballast_stall stall{};
  stall.at_ns = 6;
  stall.pid = 8;
  stall.duration_us = 12345;
  std::strcpy(stall.comm, "x");
  EXPECT_EQ(ToFacts(stall),
            (ReclaimStall{.at = {6}, .duration_us = 12345, .pid = 8, .comm = std::string_view("x")}));
}

}  // namespace
}  // namespace ballast::agent
