// Rule 14: a tool in the guest asks for memory before something is killed, and is answered once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// 2 GiB of which the balloon holds one; comfortable.
Guest Asker() { return Guest("g").Boot(2 * kGiB).Balloon(kGiB).Target(kGiB).Available(600 * kMiB); }

World Asking(int64_t bytes, Urgency urgency, const Guest& guest = Asker()) {
  World world;
  world.With(guest);
  world.Of("g").request = MemoryRequest{7, bytes, urgency, world.now + Seconds(2)};
  return world;
}

TEST(MemoryRequest, GetsWhatItAsksForAndNoMore) {
  World world = Asking(200 * kMiB, Urgency::kNormal);
  const Outcome outcome = world.Tick();
  const auto decision = DecisionFor(world, outcome, "g");
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->reason.rule, Rule::kMemoryRequest);
  EXPECT_EQ(decision->target.count, 824 * kMiB);
  EXPECT_THAT(Explain(*decision, "g"), HasSubstr("a tool in the guest asks for 200MiB"));
  ASSERT_EQ(outcome.answers.size(), 1u);
  const Answer& answer = outcome.answers[0];
  EXPECT_EQ(answer.request, 7);
  EXPECT_EQ(answer.granted_bytes, 200 * kMiB);
  EXPECT_EQ(answer.eta.count / 1'000'000, 490) << "the latency, and 200 MiB at the assumed 512 a second";
  EXPECT_EQ(answer.why, Refusal::kNone);
}

TEST(MemoryRequest, TheTimeItTakesIsThatOfTheBalloonSeen) {
  World world = Asking(100 * kMiB, Urgency::kNormal);
  world.Of("g").history.give_bytes_per_second = 50 * kMiB;
  EXPECT_EQ(world.Tick().answers.at(0).eta.count / 1'000'000, 2'100);
}

TEST(MemoryRequest, ComesBesideWhatIsOnItsWay) {
  World world = Asking(100 * kMiB, Urgency::kNormal, Asker().Target(800 * kMiB));
  EXPECT_EQ(DecisionFor(world, world.Tick(), "g")->target.count, 700 * kMiB);
}

TEST(MemoryRequest, IsNotTakenBackAtOnce) {
  World world = Asking(100 * kMiB, Urgency::kNormal);
  world.Obey(world.Tick());
  world.Of("g").request.reset();
  world.Host(64 * kGiB, 5 * kGiB);  // short: whoever may gives
  for (int second = 0; second < 25; ++second) {
    world.Later(Seconds(1));
    EXPECT_THAT(world.Tick().decisions, IsEmpty()) << second;
  }
}

TEST(MemoryRequest, StopsAtTheCeiling) {
  World world = Asking(kGiB, Urgency::kKill, Asker().Baseline(kGiB).Ceiling(1536 * kMiB));
  const Outcome outcome = world.Tick();
  EXPECT_EQ(DecisionFor(world, outcome, "g")->target.count, 512 * kMiB);
  EXPECT_EQ(outcome.answers.at(0).granted_bytes, 512 * kMiB);
  EXPECT_EQ(outcome.answers.at(0).why, Refusal::kNothingTaken);
}

// What is granted of 1 GiB by a host with `spare` above its reserve of 6.4 GiB.
int64_t GrantedWith(int64_t spare, Urgency urgency) {
  World world = Asking(kGiB, urgency);
  world.Host(64 * kGiB, 64 * kGiB / 10 + spare);
  const Outcome outcome = world.Tick();
  return outcome.answers.empty() ? -1 : outcome.answers[0].granted_bytes / kMiB;
}

TEST(MemoryRequest, LowComesFromWhatIsPlenty) {
  EXPECT_EQ(GrantedWith(3 * kGiB, Urgency::kLow), 1024);
  EXPECT_EQ(GrantedWith(1638 * kMiB + 100 * kMiB, Urgency::kLow), 99) << "beyond 5/4 of the reserve";
  EXPECT_EQ(GrantedWith(1638 * kMiB, Urgency::kLow), -1) << "there is time: it may become more";
}

TEST(MemoryRequest, NormalComesFromAboveTheReserve) {
  EXPECT_EQ(GrantedWith(500 * kMiB, Urgency::kNormal), 500);
  EXPECT_EQ(GrantedWith(0, Urgency::kNormal), -1);
}

TEST(MemoryRequest, KillMayDrawOnTheReserve) {
  EXPECT_EQ(GrantedWith(0, Urgency::kKill), 1024);
  EXPECT_EQ(GrantedWith(-3 * kGiB, Urgency::kKill), 204) << "down to half of it";
}

TEST(MemoryRequest, KillDrawsOnceAReport) {
  World world = Asking(200 * kMiB, Urgency::kKill);
  world.Host(64 * kGiB, 64 * kGiB / 10);
  world.Tick();
  world.Of("g").request->id = 8;
  EXPECT_THAT(world.Tick().answers, IsEmpty());
}

TEST(MemoryRequest, MakesOthersGiveButNotBelowTheirBaseline) {
  const auto taken = [](Urgency urgency) {
    World world = Asking(kGiB, urgency);
    world.Host(64 * kGiB, 64 * kGiB / 10 + 2 * kMiB);
    world.With(Guest("rich").Boot(8 * kGiB).Available(7 * kGiB).Free(7 * kGiB).Baseline(7800 * kMiB));
    const auto decision = DecisionFor(world, world.Tick(), "rich");
    return decision ? decision->target.count / kMiB : 0;
  };
  EXPECT_EQ(taken(Urgency::kNormal), 196) << "half of what it has above its baseline";
  EXPECT_EQ(taken(Urgency::kLow), 0);
}

TEST(MemoryRequest, ThatCannotBeGrantedWaitsAndIsAnsweredInTime) {
  World world = Asking(kGiB, Urgency::kNormal);
  world.Host(64 * kGiB, 64 * kGiB / 10);
  EXPECT_THAT(world.Tick().answers, IsEmpty());
  world.Later(Milliseconds(1'749));
  EXPECT_THAT(world.Tick().answers, IsEmpty());
  world.Later(Milliseconds(1));
  const Outcome outcome = world.Tick();
  ASSERT_EQ(outcome.answers.size(), 1u);
  EXPECT_EQ(outcome.answers[0].granted_bytes, 0);
  EXPECT_EQ(outcome.answers[0].why, Refusal::kHostShort);
}

TEST(MemoryRequest, BehindACriticalGuestsReleaseGetsItsPartOfThat) {
  World world = Asking(200 * kMiB, Urgency::kKill, Asker().Available(10 * kMiB));
  const Outcome outcome = world.Tick();
  EXPECT_EQ(DecisionFor(world, outcome, "g")->reason.rule, Rule::kCriticalRelease);
  EXPECT_EQ(outcome.answers.at(0).granted_bytes, 200 * kMiB);
}

TEST(MemoryRequest, WithEverythingOnItsWayIsToldSo) {
  World world = Asking(200 * kMiB, Urgency::kKill, Asker().Target(0));
  EXPECT_EQ(world.Tick().answers.at(0).granted_bytes, 200 * kMiB);
  World empty = Asking(200 * kMiB, Urgency::kKill, Asker().Balloon(0).Target(0));
  const Outcome outcome = empty.Tick();
  EXPECT_EQ(outcome.answers.at(0).granted_bytes, 0);
  EXPECT_EQ(outcome.answers.at(0).why, Refusal::kNothingTaken);
}

Refusal RefusedAs(const Guest& guest, bool near_its_deadline = true) {
  World world = Asking(100 * kMiB, Urgency::kKill, guest);
  if (near_its_deadline) world.Of("g").request->deadline = world.now + Milliseconds(250);
  const Outcome outcome = world.Tick();
  if (outcome.answers.empty()) return Refusal::kNone;
  EXPECT_EQ(outcome.answers[0].granted_bytes, 0);
  return outcome.answers[0].why;
}

TEST(MemoryRequest, IsRefusedWithTheReason) {
  EXPECT_EQ(RefusedAs(Asker().In(Mode::kObserve), false), Refusal::kNotActing);
  EXPECT_EQ(RefusedAs(Asker().In(Mode::kOff), false), Refusal::kNotActing);
  EXPECT_EQ(RefusedAs(Asker().NoVmm()), Refusal::kUnmanaged);
  EXPECT_EQ(RefusedAs(Asker().Paused()), Refusal::kUnmanaged);
  EXPECT_EQ(RefusedAs(Asker().NoReport()), Refusal::kNotHeard);
  EXPECT_EQ(RefusedAs(Asker().NoVmm(), false), Refusal::kNone) << "it may answer yet";
  World blind = Asking(100 * kMiB, Urgency::kKill);
  blind.NoHost().Of("g").request->deadline = blind.now + Milliseconds(250);
  EXPECT_EQ(blind.Tick().answers.at(0).why, Refusal::kHostUnknown);
}

TEST(MemoryRequest, InModeGuardIsGranted) {
  World world = Asking(100 * kMiB, Urgency::kNormal, Asker().In(Mode::kGuard));
  EXPECT_EQ(world.Tick().answers.at(0).granted_bytes, 100 * kMiB);
}

TEST(MemoryRequest, WhoseDeadlineIsOverIsNone) {
  World world = Asking(100 * kMiB, Urgency::kKill);
  world.Of("g").request->deadline = world.now;
  const Outcome outcome = world.Tick();
  EXPECT_THAT(outcome.answers, IsEmpty());
  EXPECT_THAT(outcome.decisions, IsEmpty());
}

TEST(MemoryRequest, TheAnswerIsASentence) {
  EXPECT_EQ(
      Explain(Answer{0, 7, 100 * kMiB, Milliseconds(295), Refusal::kHostShort}, "web"),
      "web: request 7 for memory: granted 100MiB, all there within 295 ms; the host has no more to spare");
}

}  // namespace
}  // namespace ballast::policy
