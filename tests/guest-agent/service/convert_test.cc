#include "guest-agent/service/convert.h"

#include <gmock/gmock.h>

#include <functional>

#include "common/base/text.h"

namespace ballast::agent {
namespace {

using guest::v1::WatchRequest;
using ::testing::HasSubstr;

TEST(Convert, AnEmptyRequestIsAllDefaults) {
  const auto settings = ToSettings(WatchRequest());
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(*settings, WatchSettings{});
}

TEST(Convert, TakesWhatIsInRange) {
  WatchRequest request;
  request.mutable_cadence()->set_quiet_ms(60'000);
  request.mutable_cadence()->set_pressed_ms(20);
  auto& armed = *request.mutable_thresholds()->mutable_armed();
  armed.set_permyriad(10'000);
  armed.set_min_bytes(5);
  armed.set_max_bytes(5);
  request.mutable_thresholds()->mutable_pressed()->set_permyriad(1);
  request.mutable_thresholds()->set_exhaustion_horizon_ms(10'000);
  request.mutable_thresholds()->set_stall_permyriad(1);
  const auto settings = ToSettings(request);
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->cadence.quiet, Seconds(60));
  EXPECT_EQ(settings->cadence.armed, Seconds(1));
  EXPECT_EQ(settings->cadence.pressed, Milliseconds(20));
  EXPECT_EQ(settings->thresholds.armed, (Limit{10'000, 5, 5}));
  EXPECT_EQ(settings->thresholds.pressed, (Limit{1, 0, kNoUpperBound}));
  EXPECT_EQ(settings->thresholds.exhaustion_horizon, Seconds(10));
  EXPECT_EQ(settings->thresholds.stall_permyriad, 1);
}

TEST(Convert, NamesTheFieldThatIsOutOfRange) {
  struct Case {
    std::function<void(WatchRequest&)> spoil;
    const char* field;
  };
  const Case cases[] = {
      {[](WatchRequest& r) { r.mutable_cadence()->set_quiet_ms(999); }, "cadence.quiet_ms is 999"},
      {[](WatchRequest& r) { r.mutable_cadence()->set_quiet_ms(INT64_MAX); }, "1000..60000"},
      {[](WatchRequest& r) { r.mutable_cadence()->set_armed_ms(-1); }, "cadence.armed_ms"},
      {[](WatchRequest& r) { r.mutable_cadence()->set_pressed_ms(19); }, "cadence.pressed_ms"},
      {[](WatchRequest& r) { r.mutable_thresholds()->set_exhaustion_horizon_ms(10'001); },
       "thresholds.exhaustion_horizon_ms"},
      {[](WatchRequest& r) { r.mutable_thresholds()->set_stall_permyriad(-1); },
       "thresholds.stall_permyriad"},
      {[](WatchRequest& r) { r.mutable_thresholds()->mutable_armed()->set_permyriad(10'001); },
       "thresholds.armed.permyriad"},
      {[](WatchRequest& r) { r.mutable_thresholds()->mutable_pressed()->set_min_bytes(1); },
       "thresholds.pressed.permyriad is 0"},
      {[](WatchRequest& r) {
         auto& limit = *r.mutable_thresholds()->mutable_critical();
         limit.set_permyriad(1);
         limit.set_min_bytes(-1);
       },
       "thresholds.critical.min_bytes"},
      {[](WatchRequest& r) {
         auto& limit = *r.mutable_thresholds()->mutable_critical();
         limit.set_permyriad(1);
         limit.set_min_bytes(9);
         limit.set_max_bytes(8);
       },
       "thresholds.critical.max_bytes is 8"},
  };
  for (const Case& c : cases) {
    WatchRequest request;
    c.spoil(request);
    const auto settings = ToSettings(request);
    ASSERT_FALSE(settings.ok()) << c.field;
    EXPECT_THAT(MessageOf(settings.status()), HasSubstr(c.field));
  }
}

TEST(Convert, WhatIsAbsentStaysAbsentOnTheWire) {
  ReportFacts facts;
  facts.readings.vmstat.emplace();
  facts.readings.vmstat->oom_kills = 3;
  guest::v1::Report report;
  FillReport(facts, 9, report);
  EXPECT_FALSE(report.has_meminfo());
  EXPECT_FALSE(report.has_psi_memory());
  EXPECT_EQ(report.vmstat().oom_kills(), 3);
  EXPECT_FALSE(report.vmstat().has_balloon_inflate_pages());
  EXPECT_FALSE(report.derived().has_time_to_exhaustion_ms());
  EXPECT_FALSE(report.derived().has_balloon_bytes());
  EXPECT_EQ(report.events_lost(), 9u);
  EXPECT_EQ(report.level(), guest::v1::LEVEL_QUIET);
}

TEST(Convert, SaysWhereEachSignalComesFrom) {
  AgentIdentity identity;
  identity.sources = {{"oom_kill", OomSource::kKmsg, "BPF: no"}, {"oom_begin", OomSource::kNone, "BPF: no"}};
  guest::v1::GetInfoResponse info;
  FillInfo(identity, {1}, info);
  ASSERT_EQ(info.sources_size(), 2);
  EXPECT_EQ(info.sources(0).signal(), "oom_kill");
  EXPECT_EQ(info.sources(0).source(), guest::v1::SOURCE_KMSG);
  EXPECT_EQ(info.sources(0).reason(), "BPF: no");
  EXPECT_EQ(info.sources(1).source(), guest::v1::SOURCE_UNSPECIFIED);
}

TEST(Convert, KeepsWhatTheClientKnows) {
  WatchRequest request;
  request.set_known_verdict_id(5);
  request.set_known_verdict_generation(6);
  const auto settings = ToSettings(request);
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->known_verdict_id, 5u);
  EXPECT_EQ(settings->known_verdict_generation, 6u);
}

TEST(Convert, ATimeToExhaustionOfZeroIsPresent) {
  ReportFacts facts;
  facts.derived.time_to_exhaustion = Nanos{0};
  guest::v1::Report report;
  FillReport(facts, 0, report);
  EXPECT_TRUE(report.derived().has_time_to_exhaustion_ms());
}

}  // namespace
}  // namespace ballast::agent
