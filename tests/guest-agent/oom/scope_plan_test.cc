#include "guest-agent/oom/scope_plan.h"

#include <gmock/gmock.h>

#include <string>

#include "common/base/units.h"

namespace ballast::agent {
namespace {

using kernel::OomConstraint;
using ::testing::HasSubstr;

constexpr uint32_t kMovableMask = 0x140dca;  // a page fault's
constexpr uint32_t kKernelMask = 0xcc0;
constexpr GuestCondition kFull{.total_bytes = kGiB, .available_bytes = 4 * kMiB, .balloon_bytes = 0};

OomVerdict Judged(OomConstraint constraint, const GuestCondition& guest, uint32_t mask = kMovableMask,
                  int32_t order = 0) {
  OomVerdict verdict;
  verdict.source = OomSource::kBpf;
  verdict.kill.constraint = constraint;
  verdict.kill.gfp_mask = mask;
  verdict.kill.order = order;
  JudgeScope(guest, verdict);
  return verdict;
}

std::string Advice(const OomVerdict& verdict) { return std::string(verdict.advice); }

TEST(ScopePlan, AGuestThatUsedUpAllItHas) {
  const auto verdict = Judged(OomConstraint::kNone, kFull);
  EXPECT_EQ(verdict.scope, OomScope::kGuest);
  EXPECT_FALSE(verdict.kernel_zones_short);
  EXPECT_THAT(Advice(verdict), HasSubstr("ceiling"));
}

TEST(ScopePlan, ALimitIsNotTheGuestsShortageWhateverTheBalloonHolds) {
  GuestCondition ballooned = kFull;
  ballooned.balloon_bytes = 512 * kMiB;
  for (const auto constraint :
       {OomConstraint::kMemcg, OomConstraint::kCpuset, OomConstraint::kMemoryPolicy}) {
    const auto verdict = Judged(constraint, ballooned);
    EXPECT_EQ(verdict.scope, OomScope::kCgroup);
    EXPECT_THAT(Advice(verdict), HasSubstr("would not have helped"));
  }
}

TEST(ScopePlan, ABalloonThatHeldEnoughIsTheHosts) {
  GuestCondition guest = kFull;
  guest.balloon_bytes = BalloonThatMatters(kGiB) - 1;
  EXPECT_EQ(Judged(OomConstraint::kNone, guest).scope, OomScope::kGuest);
  guest.balloon_bytes = BalloonThatMatters(kGiB);
  const auto verdict = Judged(OomConstraint::kNone, guest);
  EXPECT_EQ(verdict.scope, OomScope::kHost);
  EXPECT_THAT(Advice(verdict), HasSubstr("balloon"));
  EXPECT_EQ(BalloonThatMatters(128 * kMiB), 16 * kMiB);
  EXPECT_EQ(BalloonThatMatters(64 * kGiB), kGiB);
}

TEST(ScopePlan, KernelZonesMayBeShortBesidePlentyOfMovableMemory) {
  GuestCondition plenty = kFull;
  plenty.available_bytes = 600 * kMiB;
  const auto verdict = Judged(OomConstraint::kNone, plenty, kKernelMask);
  EXPECT_EQ(verdict.scope, OomScope::kGuest);
  EXPECT_TRUE(verdict.kernel_zones_short);
  EXPECT_THAT(Advice(verdict), HasSubstr("kernel zone"));
  EXPECT_FALSE(Judged(OomConstraint::kNone, plenty, kMovableMask).kernel_zones_short);
}

TEST(ScopePlan, AnOperatorsKillIsNobodysShortage) {
  const auto verdict = Judged(OomConstraint::kNone, kFull, kKernelMask, -1);
  EXPECT_EQ(verdict.scope, OomScope::kUnknown);
  EXPECT_THAT(Advice(verdict), HasSubstr("operator"));
}

TEST(ScopePlan, TheCountersTellNothingButThatTheyRose) {
  OomVerdict verdict;
  verdict.source = OomSource::kCounters;
  verdict.kill.constraint = OomConstraint::kNone;
  JudgeScope(kFull, verdict);
  EXPECT_EQ(verdict.scope, OomScope::kUnknown);
  EXPECT_THAT(Advice(verdict), HasSubstr("CAP_BPF"));
  EXPECT_EQ(Judged(OomConstraint::kUnknown, kFull).scope, OomScope::kUnknown);
}

}  // namespace
}  // namespace ballast::agent
