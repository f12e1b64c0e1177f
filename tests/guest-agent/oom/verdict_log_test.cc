#include "guest-agent/oom/verdict_log.h"

#include <gtest/gtest.h>

#include <vector>

namespace ballast::agent {
namespace {

OomVerdict Numbered(uint64_t id) {
  OomVerdict verdict;
  verdict.id = id;
  return verdict;
}

std::vector<uint64_t> After(const VerdictLog& log, uint64_t id) {
  std::vector<uint64_t> ids;
  log.VisitAfter(id, [&](const OomVerdict& verdict) {
    EXPECT_TRUE(verdict.late);
    ids.push_back(verdict.id);
  });
  return ids;
}

TEST(VerdictLog, TellsWhatCameLater) {
  VerdictLog log;
  EXPECT_TRUE(After(log, 0).empty());
  for (uint64_t id = 1; id <= 3; ++id) log.Add(Numbered(id));
  EXPECT_EQ(After(log, 0), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(After(log, 2), (std::vector<uint64_t>{3}));
  EXPECT_TRUE(After(log, 3).empty());
  EXPECT_TRUE(After(log, 99).empty());
}

TEST(VerdictLog, KeepsTheLast64) {
  VerdictLog log;
  for (uint64_t id = 1; id <= 100; ++id) log.Add(Numbered(id));
  const auto kept = After(log, 0);
  ASSERT_EQ(kept.size(), VerdictLog::kKept);
  EXPECT_EQ(kept.front(), 37u);
  EXPECT_EQ(kept.back(), 100u);
}

}  // namespace
}  // namespace ballast::agent
