// The dialogue below was recorded from QEMU 7.2 and 10.0; what is made up for a test says so.
#include "host-bridge/vmm/qmp/qmp_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "common/base/text.h"

namespace ballast::vmm::qmp {
namespace {

using ::testing::HasSubstr;

boost::json::value Json(std::string_view text) { return boost::json::parse({text.data(), text.size()}); }

template <typename Fact>
void ExpectRefused(const absl::StatusOr<Fact>& fact, const std::string& because) {
  ASSERT_FALSE(fact.ok());
  EXPECT_EQ(fact.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(fact.status()), HasSubstr(because));
}

TEST(ParseMessage, Greeting) {
  const auto message = ParseMessage(Json(
      R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian 1:7.2+dfsg-7+deb12u18+b3"}, "capabilities": ["oob"]}})"));
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(std::get<Greeting>(*message), (Greeting{7, 2, 22, "Debian 1:7.2+dfsg-7+deb12u18+b3"}));
}

TEST(ParseMessage, GreetingOfAnotherProgramIsRefused) {
  ExpectRefused(ParseMessage(Json(R"({"QMP": {"version": "7.2"}})")), "expected an object, got \"7.2\"");
}

TEST(ParseMessage, Return) {
  const auto message = ParseMessage(Json(R"({"return": {"actual": 536870912}, "id": 9})"));
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(std::get<Return>(*message).id, 9u);
  EXPECT_EQ(ParseBalloon(std::get<Return>(*message).value)->count, 536870912);
}

TEST(ParseMessage, ReturnNeedsAnIdThatCouldBeOurs) {
  ExpectRefused(ParseMessage(Json(R"({"return": {}, "id": "c9"})")), "the id of a command, a whole number");
  ExpectRefused(ParseMessage(Json(R"({"return": {}, "id": -1})")), "the id of a command");
  ExpectRefused(ParseMessage(Json(R"({"return": {}})")), "the id of a command");
}

TEST(ParseMessage, ErrorWithAndWithoutId) {
  const auto known = ParseMessage(Json(
      R"({"id": 3, "error": {"class": "DeviceNotActive", "desc": "No balloon device has been activated"}})"));
  ASSERT_TRUE(known.ok()) << known.status();
  EXPECT_EQ(std::get<Error>(*known).id, 3u);
  EXPECT_EQ(ToStatus(std::get<Error>(*known)).code(), absl::StatusCode::kFailedPrecondition);

  const auto unknown = ParseMessage(
      Json(R"({"error": {"class": "GenericError", "desc": "JSON parse error, expecting value"}})"));
  ASSERT_TRUE(unknown.ok()) << unknown.status();
  EXPECT_EQ(std::get<Error>(*unknown).id, std::nullopt);
  EXPECT_THAT(MessageOf(ToStatus(std::get<Error>(*unknown))), HasSubstr("GenericError: JSON parse error"));
}

TEST(ParseMessage, BalloonChange) {
  const auto message = ParseMessage(Json(
      R"({"timestamp": {"seconds": 1795207850, "microseconds": 121220}, "event": "BALLOON_CHANGE", "data": {"actual": 535822336}})"));
  ASSERT_TRUE(message.ok()) << message.status();
  const auto& event = std::get<Event>(*message);
  EXPECT_EQ(event.kind, Event::Kind::kBalloonChange);
  EXPECT_EQ(event.actual.count, 535822336);
  EXPECT_EQ(event.at_microseconds, 1795207850121220);
}

TEST(ParseMessage, EventsByName) {
  const std::pair<std::string_view, Event::Kind> cases[] = {
      {R"({"timestamp": {"seconds": 1795206559, "microseconds": 277725}, "event": "RESUME"})",
       Event::Kind::kResume},
      {R"({"event": "STOP"})", Event::Kind::kStop},
      {R"({"event": "RESET", "data": {"guest": true, "reason": "guest-reset"}})", Event::Kind::kReset},
      {R"({"event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}})",
       Event::Kind::kShutdown},
      {R"({"event": "DEVICE_DELETED", "data": {"device": "dimm1", "path": "/machine/peripheral/dimm1"}})",
       Event::Kind::kDeviceDeleted},
      {R"({"event": "RTC_CHANGE", "data": {"offset": 0}})", Event::Kind::kOther},
  };
  for (const auto& [text, kind] : cases) {
    const auto message = ParseMessage(Json(text));
    ASSERT_TRUE(message.ok()) << message.status();
    EXPECT_EQ(std::get<Event>(*message).kind, kind) << text;
  }
}

TEST(ParseMessage, AnEventQemuCouldNotDateHasNoTime) {
  const auto message =
      ParseMessage(Json(R"({"timestamp": {"seconds": -1, "microseconds": -1}, "event": "STOP"})"));
  ASSERT_TRUE(message.ok()) << message.status();
  EXPECT_EQ(std::get<Event>(*message).at_microseconds, std::nullopt);
}

TEST(ParseMessage, WhatIsNoMessageIsRefusedWithAnExcerpt) {
  ExpectRefused(ParseMessage(Json(R"({"hello": 1})")),
                R"(expected one of 'QMP', 'return', 'error', 'event', got {"hello":1})");
  ExpectRefused(ParseMessage(Json("[1]")), "expected an object, got [1]");
  ExpectRefused(ParseMessage(Json(R"({"event": 7})")), "event: expected a string, got 7");
  ExpectRefused(ParseMessage(Json(R"({"error": {"desc": "?"}})")), "expected a member 'class'");
  ExpectRefused(ParseMessage(Json(R"({"event": "BALLOON_CHANGE"})")),
                "BALLOON_CHANGE: expected an object, got null");
}

TEST(ParseBalloon, RefusesWhatIsNotASize) {
  ExpectRefused(ParseBalloon(Json("{}")), "query-balloon: expected a member 'actual', got {}");
  ExpectRefused(ParseBalloon(Json(R"({"actual": "lots"})")),
                "expected an integer from 0 to 4611686018427387904, got \"lots\"");
  ExpectRefused(ParseBalloon(Json(R"({"actual": -1})")), "got -1");
  ExpectRefused(ParseBalloon(Json(R"({"actual": 1.5})")), "got 1.5");
  ExpectRefused(ParseBalloon(Json(R"({"actual": 18446744073709551615})")), "got 18446744073709551615");
}

TEST(ParseRunning, QuotesTheMemberThatIsWrong) {
  EXPECT_TRUE(*ParseRunning(Json(R"({"status": "running", "singlestep": false, "running": true})")));
  EXPECT_FALSE(*ParseRunning(Json(R"({"status": "prelaunch", "running": false})")));
  ExpectRefused(ParseRunning(Json(R"({"running": 1})")),
                "query-status running: expected true or false, got 1");
}

TEST(ParseBootMemory, LeavesPluggedMemoryOut) {
  EXPECT_EQ(*ParseBootMemory(Json(R"({"base-memory": 536870912, "plugged-memory": 268435456})")), 512 * kMiB);
  ExpectRefused(ParseBootMemory(Json(R"({"base-memory": 0})")), "integer from 1 to");
}

TEST(ParseBalloonPath, FindsTheDeviceByItsType) {
  const auto path = ParseBalloonPath(
      Json(
          R"([{"name": "type", "type": "string"}, {"name": "vm0", "type": "child<virtio-mem-pci>"}, {"name": "balloon0", "type": "child<virtio-balloon-pci>"}])"),
      "/machine/peripheral");
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(*path, "/machine/peripheral/balloon0");
  EXPECT_EQ(*ParseBalloonPath(Json(R"([{"name": "type", "type": "string"}])"), "/machine/peripheral"),
            std::nullopt);
}

TEST(ParseGuestStats, KeepsWhatTheGuestGave) {
  const auto stats = ParseGuestStats(Json(
      R"({"stats": {"stat-htlb-pgalloc": 0, "stat-swap-out": 0, "stat-alloc-stalls": 18446744073709551615, "stat-available-memory": 395292672, "stat-htlb-pgfail": 0, "stat-free-memory": 394776576, "stat-minor-faults": 629, "stat-major-faults": 0, "stat-total-memory": 424951808, "stat-oom-kills": 18446744073709551615, "stat-swap-in": 0, "stat-disk-caches": 2580480}, "last-update": 1795206409})"));
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(stats->total_bytes, 424951808);
  EXPECT_EQ(stats->available_bytes, 395292672);
  EXPECT_EQ(stats->free_bytes, 394776576);
  EXPECT_EQ(stats->cache_bytes, 2580480);
  EXPECT_EQ(stats->major_faults, 0);
  EXPECT_EQ(stats->oom_kills, std::nullopt) << "2^64-1 means that the guest does not give it";
  EXPECT_EQ(stats->updated_unix_seconds, 1795206409);
}

TEST(ParseGuestStats, BeforeTheDriverRunsThereIsNothing) {
  const auto stats = ParseGuestStats(Json(
      R"({"stats": {"stat-available-memory": 18446744073709551615, "stat-total-memory": 18446744073709551615}, "last-update": 0})"));
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(*stats, BalloonStatistics{});
}

TEST(ParseGuestStats, AGuestsNonsenseIsRefused) {
  // Made up: one less than "unknown".
  ExpectRefused(
      ParseGuestStats(Json(R"({"stats": {"stat-free-memory": 18446744073709551614}, "last-update": 1})")),
      "guest-stats stat-free-memory: expected an integer");
}

TEST(ParseMessage, ErrorTextsStayShort) {
  const std::string huge(100'000, 'x');
  const auto message = ParseMessage(boost::json::value(huge));
  ASSERT_FALSE(message.ok());
  EXPECT_LT(MessageOf(message.status()).size(), 200u);
}

}  // namespace
}  // namespace ballast::vmm::qmp
