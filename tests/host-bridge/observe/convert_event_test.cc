#include "host-bridge/observe/convert_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "common/base/text.h"
#include "common/base/units.h"

namespace ballast::observe {
namespace {

using ::testing::HasSubstr;
using wire = guest::v1::OomVerdict;

ReportContext Context() {
  ReportContext context;
  context.agent_generation = 7;
  context.received_at = {Seconds(5000).count};
  return context;
}

wire GoodVerdict() {
  wire verdict;
  verdict.set_id(3);
  verdict.set_source(guest::v1::SOURCE_BPF);
  verdict.set_scope(wire::SCOPE_CGROUP);
  verdict.set_constraint(wire::CONSTRAINT_MEMCG);
  verdict.set_advice("raise memory.max of /db.slice");
  verdict.set_pid(42);
  verdict.set_comm("db");
  verdict.set_cgroup("/db.slice/db.service");
  verdict.set_limit_cgroup("/db.slice");
  verdict.set_asker_comm("db-writer");
  verdict.set_anon_bytes(300 * kMiB);
  verdict.set_available_bytes(kGiB);
  verdict.set_late(true);
  verdict.set_kills(1);
  return verdict;
}

TEST(ConvertVerdict, KeepsWhatPeopleNeed) {
  const auto verdict = ConvertVerdict(GoodVerdict(), Context());
  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_EQ(verdict->generation, 7);
  EXPECT_EQ(verdict->source, policy::OomSource::kBpf);
  EXPECT_EQ(verdict->constraint, policy::OomConstraint::kMemcg);
  EXPECT_EQ(verdict->available_bytes, Maybe<int64_t>(kGiB));
  EXPECT_FALSE(verdict->balloon_bytes);
  EXPECT_EQ(Explain(*verdict, "web"),
            "web: OOM kill while nobody watched: 'db' (pid 42, 300MiB) of /db.slice/db.service was killed "
            "(scope cgroup, limit of /db.slice, 1GiB available, asked for by 'db-writer'): "
            "raise memory.max of /db.slice");
}

TEST(ConvertVerdict, OfCountersAloneNamesNobody) {
  wire counted;
  counted.set_id(1);
  counted.set_kills(4);
  const auto verdict = ConvertVerdict(counted, Context());
  ASSERT_TRUE(verdict.ok());
  EXPECT_EQ(Explain(*verdict, "web"),
            "web: OOM kill: 4 process(es), nobody knows which, were killed (scope unknown)");
}

TEST(ConvertVerdict, TextsAreCutAndClean) {
  wire verdict = GoodVerdict();
  verdict.set_comm("a\nb\x1b[2J\x7f\xc3\xa4" + std::string(100, 'x'));
  verdict.set_advice(std::string(10'000, 'y'));
  const auto converted = ConvertVerdict(verdict, Context());
  ASSERT_TRUE(converted.ok());
  EXPECT_EQ(converted->comm, "a?b?[2J???" + std::string(22, 'x'));
  EXPECT_EQ(converted->advice.size(), 300u);
}

TEST(ConvertVerdict, UnknownEnumValuesAreUnknown) {
  wire verdict = GoodVerdict();
  verdict.set_scope(static_cast<wire::Scope>(77));
  verdict.set_source(static_cast<guest::v1::Source>(-5));
  const auto converted = ConvertVerdict(verdict, Context());
  ASSERT_TRUE(converted.ok());
  EXPECT_EQ(converted->scope, policy::OomScope::kUnknown);
  EXPECT_EQ(converted->source, policy::OomSource::kUnknown);
}

TEST(ConvertVerdict, NumbersOutOfRangeRejectIt) {
  const std::pair<void (*)(wire&), const char*> lies[] = {
      {[](wire& v) { v.set_id(0); }, "oom_verdict.id = 0"},
      {[](wire& v) { v.set_id(UINT64_MAX); }, "oom_verdict.id"},
      {[](wire& v) { v.set_pid(-1); }, "oom_verdict.pid = -1"},
      {[](wire& v) { v.set_order(-2); }, "oom_verdict.order = -2"},
      {[](wire& v) { v.set_anon_bytes(-1); }, "oom_verdict.anon_bytes"},
      {[](wire& v) { v.set_available_bytes(INT64_MAX); }, "oom_verdict.available_bytes"},
      {[](wire& v) { v.set_kills(-1); }, "oom_verdict.kills"},
  };
  for (const auto& [tell, reason] : lies) {
    wire verdict = GoodVerdict();
    tell(verdict);
    const auto converted = ConvertVerdict(verdict, Context());
    ASSERT_FALSE(converted.ok()) << reason;
    EXPECT_THAT(MessageOf(converted.status()), HasSubstr(reason));
  }
}

guest::v1::Event RequestAt(Nanos guest_time) {
  guest::v1::Event event;
  event.set_monotonic_ns(guest_time.count);
  auto& request = *event.mutable_memory_request();
  request.set_id(9);
  request.set_bytes(200 * kMiB);
  request.set_urgency(guest::v1::URGENCY_KILL);
  request.set_deadline_ms(2'000);
  return event;
}

TEST(ConvertRequest, ItsDeadlineCountsFromWhenItWasMade) {
  ReportContext context = Context();
  const auto unrelated = ConvertRequest(RequestAt(Seconds(300)), context);
  ASSERT_TRUE(unrelated.ok()) << unrelated.status();
  EXPECT_EQ(*unrelated,
            (policy::MemoryRequest{9, 200 * kMiB, policy::Urgency::kKill, context.received_at + Seconds(2)}));
  context.clock_offset = ClockOffset{.offset = Seconds(4'699), .error = {}};
  EXPECT_EQ(ConvertRequest(RequestAt(Seconds(300)), context)->deadline, context.received_at + Seconds(1));
  EXPECT_EQ(ConvertRequest(RequestAt(Seconds(400)), context)->deadline, context.received_at + Seconds(2))
      << "not from the future";
}

TEST(ConvertRequest, NumbersOutOfRangeRejectIt) {
  const std::pair<void (*)(guest::v1::MemoryRequest&), const char*> lies[] = {
      {[](guest::v1::MemoryRequest& r) { r.set_id(0); }, "memory_request.id = 0"},
      {[](guest::v1::MemoryRequest& r) { r.set_bytes(0); }, "memory_request.bytes = 0"},
      {[](guest::v1::MemoryRequest& r) { r.set_bytes((int64_t{1} << 50) + 1); }, "memory_request.bytes"},
      {[](guest::v1::MemoryRequest& r) { r.set_deadline_ms(0); }, "memory_request.deadline_ms = 0"},
      {[](guest::v1::MemoryRequest& r) { r.set_deadline_ms(60'001); }, "memory_request.deadline_ms"},
  };
  for (const auto& [tell, reason] : lies) {
    guest::v1::Event event = RequestAt(Seconds(300));
    tell(*event.mutable_memory_request());
    const auto converted = ConvertRequest(event, Context());
    ASSERT_FALSE(converted.ok()) << reason;
    EXPECT_THAT(MessageOf(converted.status()), HasSubstr(reason));
  }
}

}  // namespace
}  // namespace ballast::observe
