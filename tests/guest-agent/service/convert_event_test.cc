#include "guest-agent/service/convert_event.h"

#include <gtest/gtest.h>

namespace ballast::agent {
namespace {

guest::v1::Event Converted(const EventFacts& facts) {
  guest::v1::Event event;
  FillEvent(facts, event);
  EXPECT_EQ(event.monotonic_ns(), facts.at.ns);
  return event;
}

TEST(ConvertEvent, EachKindBecomesItsOwn) {
  const auto kills = Converted({{11}, OomKills{.kills = 2, .total = 5}});
  EXPECT_EQ(kills.oom_kill().kills(), 2);
  EXPECT_EQ(kills.oom_kill().total(), 5);
  const auto trigger = Converted({{12}, PressureTriggered{.threshold_us = 150, .window_us = 1'000}});
  EXPECT_EQ(trigger.pressure_trigger().threshold_us(), 150);
  EXPECT_EQ(trigger.pressure_trigger().window_us(), 1'000);
  const auto shrank = Converted({{13}, BalloonShrank{.bytes = 4096}});
  EXPECT_EQ(shrank.balloon_shrank().bytes(), 4096);
}

TEST(ConvertEvent, AVerdictWithAllItKnows) {
  OomVerdict verdict;
  verdict.id = 9;
  verdict.source = OomSource::kKmsg;
  verdict.scope = OomScope::kCgroup;
  verdict.kernel_zones_short = true;
  verdict.advice = "do this";
  verdict.available_bytes = 0;
  verdict.balloon_bytes = 5;
  verdict.kills = 3;
  verdict.late = true;
  KillFacts& kill = verdict.kill;
  kill.pid = 10;
  kill.comm = std::string_view("victim");
  kill.cgroup = std::string_view("/a/b");
  kill.uid = 1000;
  kill.oom_score_adj = 0;
  kill.total_vm_bytes = 1;
  kill.anon_bytes = 2;
  kill.file_bytes = 3;
  kill.shmem_bytes = 4;
  kill.page_table_bytes = 6;
  kill.constraint = kernel::OomConstraint::kMemcg;
  kill.limit_cgroup = std::string_view("/a");
  kill.asker_comm = std::string_view("asker");
  kill.order = -1;
  kill.gfp_mask = 7;
  const auto wire = Converted({{14}, verdict}).oom_verdict();
  EXPECT_EQ(wire.id(), 9u);
  EXPECT_EQ(wire.source(), guest::v1::SOURCE_KMSG);
  EXPECT_EQ(wire.scope(), guest::v1::OomVerdict::SCOPE_CGROUP);
  EXPECT_EQ(wire.constraint(), guest::v1::OomVerdict::CONSTRAINT_MEMCG);
  EXPECT_EQ(wire.advice(), "do this");
  EXPECT_EQ(wire.pid(), 10);
  EXPECT_EQ(wire.comm(), "victim");
  EXPECT_EQ(wire.cgroup(), "/a/b");
  EXPECT_EQ(wire.uid(), 1000u);
  EXPECT_TRUE(wire.has_oom_score_adj());
  EXPECT_EQ(wire.total_vm_bytes(), 1);
  EXPECT_EQ(wire.anon_bytes(), 2);
  EXPECT_EQ(wire.file_bytes(), 3);
  EXPECT_EQ(wire.shmem_bytes(), 4);
  EXPECT_EQ(wire.page_table_bytes(), 6);
  EXPECT_EQ(wire.limit_cgroup(), "/a");
  EXPECT_EQ(wire.asker_comm(), "asker");
  EXPECT_EQ(wire.order(), -1);
  EXPECT_EQ(wire.gfp_mask(), 7u);
  EXPECT_TRUE(wire.kernel_zones_short());
  EXPECT_TRUE(wire.has_available_bytes());
  EXPECT_EQ(wire.balloon_bytes(), 5);
  EXPECT_TRUE(wire.late());
  EXPECT_EQ(wire.kills(), 3);
  const auto bare = Converted({{15}, OomVerdict{}}).oom_verdict();
  EXPECT_FALSE(bare.has_oom_score_adj());
  EXPECT_FALSE(bare.has_gfp_mask());
  EXPECT_FALSE(bare.has_available_bytes());
  EXPECT_EQ(bare.scope(), guest::v1::OomVerdict::SCOPE_UNSPECIFIED);
}

TEST(ConvertEvent, TheMomentBeforeAKillAndAStall) {
  const auto begins = Converted({{16}, OomBegins{.at = {16}, .cgroup = true, .order = 2, .gfp_mask = 3}});
  EXPECT_TRUE(begins.oom_begins().cgroup());
  EXPECT_EQ(begins.oom_begins().order(), 2);
  EXPECT_EQ(begins.oom_begins().gfp_mask(), 3u);
  ReclaimStall stall;
  stall.duration_us = 12;
  stall.pid = 13;
  stall.comm = std::string_view("x");
  const auto told = Converted({{17}, stall});
  EXPECT_EQ(told.reclaim_stall().duration_us(), 12);
  EXPECT_EQ(told.reclaim_stall().pid(), 13);
  EXPECT_EQ(told.reclaim_stall().comm(), "x");
}

}  // namespace
}  // namespace ballast::agent
