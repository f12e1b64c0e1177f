#include "common/kernel/oom_log_parser.h"

#include <gmock/gmock.h>

#include <vector>

#include "common/base/text.h"
#include "common/base/units.h"
#include "common/kernel/number_field.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::HasSubstr;

// The OOM lines of a text with one record a line.
std::vector<OomLine> LinesOf(std::string_view text) {
  std::vector<OomLine> lines;
  while (!text.empty()) {
    const auto record = ParseKmsgRecord(TakeLine(text));
    EXPECT_TRUE(record.ok()) << record.status();
    if (!record.ok()) continue;
    if (const auto line = ParseOomLine(*record)) lines.push_back(*line);
  }
  return lines;
}

std::optional<OomLine> Line(std::string_view text, int32_t facility = 0) {
  return ParseOomLine({.facility = facility, .sequence = 1, .time_us = 1, .text = text});
}

constexpr std::string_view kSizes =
    " total-vm:8kB, anon-rss:4kB, file-rss:2kB, shmem-rss:1kB, UID:7 pgtables:3kB oom_score_adj:-5";

TEST(OomLogParser, ReadsARecord) {
  const auto record = ParseKmsgRecord("30,1205,6593330,c,caller=T1;hello; world\n SUBSYSTEM=x\n");
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->facility, 3);
  EXPECT_EQ(record->sequence, 1205u);
  EXPECT_EQ(record->time_us, 6593330);
  EXPECT_EQ(record->text, "hello; world");
}

TEST(OomLogParser, NamesThePartThatIsWrong) {
  EXPECT_THAT(MessageOf(ParseKmsgRecord("").status()), HasSubstr("priority"));
  EXPECT_THAT(MessageOf(ParseKmsgRecord("-4,1,1,-;x").status()), HasSubstr("priority"));
  EXPECT_THAT(MessageOf(ParseKmsgRecord("4,x,1,-;x").status()), HasSubstr("sequence"));
  EXPECT_THAT(MessageOf(ParseKmsgRecord("4,1,,-;x").status()), HasSubstr("time"));
  EXPECT_THAT(MessageOf(ParseKmsgRecord("4,1,1,-").status()), HasSubstr("';'"));
}

TEST(OomLogParser, AGlobalKillOfARealKernel) {
  const std::string log = Fixture("kmsg-oom-global-6.1");
  const auto lines = LinesOf(log);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(std::get<OomInvoked>(lines[0]), (OomInvoked{.comm = "gt", .gfp_mask = 0x140dca, .order = 0}));
  EXPECT_EQ(std::get<OomChosen>(lines[1]), (OomChosen{.constraint = OomConstraint::kNone,
                                                      .limit_cgroup = "",
                                                      .cgroup = "/",
                                                      .comm = "gt",
                                                      .pid = 104,
                                                      .uid = 0}));
  EXPECT_EQ(std::get<OomKilled>(lines[2]), (OomKilled{.pid = 104,
                                                      .comm = "gt",
                                                      .total_vm_bytes = 923616 * kKiB,
                                                      .anon_bytes = 364264 * kKiB,
                                                      .file_bytes = 4 * kKiB,
                                                      .shmem_bytes = 628 * kKiB,
                                                      .uid = 0,
                                                      .page_table_bytes = 752 * kKiB,
                                                      .oom_score_adj = 0}));
}

TEST(OomLogParser, AKillByACgroupsLimit) {
  const std::string log = Fixture("kmsg-oom-memcg-6.1");
  const auto lines = LinesOf(log);
  ASSERT_EQ(lines.size(), 5u);  // a global one comes before it
  EXPECT_EQ(std::get<OomKilled>(lines[1]).pid, 127);
  EXPECT_EQ(std::get<OomInvoked>(lines[2]).gfp_mask, 0xcc0u);
  const auto& chosen = std::get<OomChosen>(lines[3]);
  EXPECT_EQ(chosen.constraint, OomConstraint::kMemcg);
  EXPECT_EQ(chosen.limit_cgroup, "/a");
  EXPECT_EQ(chosen.cgroup, "/a");
  EXPECT_EQ(chosen.pid, 134);
  EXPECT_EQ(std::get<OomKilled>(lines[4]).pid, 134);
}

TEST(OomLogParser, ANewerKernelWritesTheSameLines) {
  const std::string global = Fixture("kmsg-oom-global-6.12");
  const auto lines = LinesOf(global);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(std::get<OomKilled>(lines[2]).anon_bytes, 358912 * kKiB);
  const std::string memcg = Fixture("kmsg-oom-memcg-6.12");
  const auto tail = LinesOf(memcg);
  ASSERT_EQ(tail.size(), 2u);
  EXPECT_EQ(std::get<OomChosen>(tail[0]).limit_cgroup, "/a");
  EXPECT_EQ(std::get<OomKilled>(tail[1]).pid, 189);
}

TEST(OomLogParser, NamesThatLookLikeTheKernelsWordsAreNames) {
  for (const std::string_view comm : {"a) total-vm:1kB", ") (", ",pid=1,uid=0", "x,task=y", " invoked oom",
                                      "\\x0aOut of", ": Killed pr", ""}) {
    const std::string kill = StrCat("Out of memory: Killed process 12 (", comm, ")", kSizes);
    const auto killed = Line(kill);
    ASSERT_TRUE(killed.has_value()) << comm;
    EXPECT_EQ(std::get<OomKilled>(*killed).comm, comm);
    EXPECT_EQ(std::get<OomKilled>(*killed).total_vm_bytes, 8 * kKiB);
    const std::string choice =
        StrCat("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/l,1",
               ",task_memcg=/l,1/t,task=", comm, ",pid=12,uid=7");
    const auto chosen = Line(choice);
    ASSERT_TRUE(chosen.has_value()) << comm;
    EXPECT_EQ(std::get<OomChosen>(*chosen).comm, comm);
    EXPECT_EQ(std::get<OomChosen>(*chosen).cgroup, "/l,1/t");
    EXPECT_EQ(std::get<OomChosen>(*chosen).limit_cgroup, "/l,1");
    EXPECT_EQ(std::get<OomChosen>(*chosen).pid, 12);
    EXPECT_EQ(std::get<OomChosen>(*chosen).uid, 7u);
    const std::string call =
        StrCat(comm, " invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=3, oom_score_adj=-9");
    const auto invoked = Line(call);
    ASSERT_TRUE(invoked.has_value()) << comm;
    EXPECT_EQ(std::get<OomInvoked>(*invoked), (OomInvoked{.comm = comm, .gfp_mask = 0xcc0, .order = 3}));
  }
}

TEST(OomLogParser, ACgroupsNameMayLookLikeATasks) {
  const auto line = Line(
      "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
      "task_memcg=/a,task=longer-than-any-task,task=x,pid=12,uid=7");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(std::get<OomChosen>(*line).comm, "x");
  EXPECT_EQ(std::get<OomChosen>(*line).cgroup, "/a,task=longer-than-any-task");
  EXPECT_EQ(std::get<OomChosen>(*line).limit_cgroup, "");
}

TEST(OomLogParser, AnOperatorsKillHasOrderMinusOne) {
  const auto line =
      Line("kworker/0:2 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0");
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(std::get<OomInvoked>(*line).order, -1);
}

TEST(OomLogParser, OtherReasonsForAKillAreReadToo) {
  for (const std::string_view why :
       {"Out of memory (oom_kill_allocating_task)", "Memory cgroup out of memory", "Out of memory"}) {
    const std::string text = StrCat(why, ": Killed process 9 (x)", kSizes);
    const auto line = Line(text);
    ASSERT_TRUE(line.has_value()) << why;
    const auto& killed = std::get<OomKilled>(*line);
    EXPECT_EQ(killed.pid, 9);
    EXPECT_EQ(killed.uid, 7u);
    EXPECT_EQ(killed.page_table_bytes, 3 * kKiB);
    EXPECT_EQ(killed.oom_score_adj, -5);
  }
}

TEST(OomLogParser, WhatAProcessWroteIsNotTheKernels) {
  const std::string kill = StrCat("Out of memory: Killed process 12 (x)", kSizes);
  EXPECT_TRUE(Line(kill, 0).has_value());
  EXPECT_FALSE(Line(kill, 1).has_value());
}

TEST(OomLogParser, OtherLinesAndHalvesOfLinesAreNone) {
  const std::string kill = StrCat("Out of memory: Killed process 12 (x)", kSizes);
  for (size_t length = 0; length < kill.find(", UID:"); ++length) {
    EXPECT_FALSE(Line(std::string_view(kill).substr(0, length)).has_value()) << length;
  }
  for (const std::string_view text :
       {"Mem-Info:", "oom_reaper: reaped process 12 (x), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
        "Out of memory: Killed process -3 (x) total-vm:8kB, anon-rss:4kB, file-rss:2kB, shmem-rss:1kB",
        "Out of memory: Killed process 99999999999 (x) total-vm:8kB, anon-rss:4kB, file-rss:2kB, "
        "shmem-rss:1kB",
        "oom-kill:constraint=CONSTRAINT_NONE,task=x,pid=0,uid=0", "oom-kill:constraint=CONSTRAINT_NONE",
        "systemd: Killed process 12 (x) total-vm:8kB, anon-rss:4kB, file-rss:2kB, shmem-rss:1kB"}) {
    EXPECT_FALSE(Line(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace ballast::kernel
