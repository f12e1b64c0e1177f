#include "host-bridge/vmm/qmp/qmp_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>
#include <string>

#include "common/base/text.h"
#include "host-bridge/vmm/qmp/qmp_parser.h"

namespace ballast::vmm::qmp {
namespace {

using ::testing::HasSubstr;
using Values = std::vector<boost::json::value>;

constexpr std::string_view kDialogue =
    "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": \"\"}, "
    "\"capabilities\": [\"oob\"]}}\r\n"
    "{\"return\": {}, \"id\": 1}\r\n"
    "{\"timestamp\": {\"seconds\": 1795207850, \"microseconds\": 121220}, \"event\": \"BALLOON_CHANGE\", "
    "\"data\": "
    "{\"actual\": 535822336}}\r\n"
    "{\"return\": [{\"name\": \"a\\\"}{\\u00e4\", \"type\": \"string\"}], \"id\": 2}\n"
    "{\"return\": {\"stats\": {\"stat-oom-kills\": 18446744073709551615}, \"last-update\": 0}, \"id\": "
    "3}{}\r\n";

TEST(Stream, TakesSeveralMessagesAtOnce) {
  Stream stream;
  Values values;
  ASSERT_TRUE(stream.Feed(kDialogue, values).ok());
  ASSERT_EQ(values.size(), 6u);
  EXPECT_EQ(values[1], boost::json::parse(R"({"return": {}, "id": 1})"));
}

TEST(Stream, WaitsForTheRestOfAMessage) {
  Stream stream;
  Values values;
  ASSERT_TRUE(stream.Feed("{\"return\": {\"actual\": 5368", values).ok());
  EXPECT_TRUE(values.empty());
  ASSERT_TRUE(stream.Feed("70912}, \"id\": 1}", values).ok());
  ASSERT_EQ(values.size(), 1u) << "a message is complete with its last brace, not with a newline after it";
  EXPECT_EQ(ParseBalloon(values[0].at("return"))->count, 536870912);
}

TEST(StreamProperty, HowTheBytesAreCutUpMakesNoDifference) {
  Values whole;
  Stream reference;
  ASSERT_TRUE(reference.Feed(kDialogue, whole).ok());
  std::mt19937 random(20240229);
  for (int round = 0; round < 500; ++round) {
    Stream stream;
    Values values;
    std::uniform_int_distribution<size_t> length(1, round % 50 + 1);
    for (std::string_view rest = kDialogue; !rest.empty();) {
      const std::string_view piece = rest.substr(0, length(random));
      rest.remove_prefix(piece.size());
      ASSERT_TRUE(stream.Feed(piece, values).ok());
    }
    ASSERT_EQ(values, whole) << "round " << round;
  }
}

TEST(StreamProperty, DamagedBytesNeverCrashAndNothingFollowsAFault) {
  std::mt19937 random(20240301);
  int faults = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes(kDialogue);
    const int damages = round % 5 + 1;
    for (int i = 0; i < damages; ++i) bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    Stream stream;
    Values values;
    const absl::Status status = stream.Feed(bytes, values);
    for (const auto& value : values) {
      // Whatever it parses to must be handled without a crash, too.
      const auto message = ParseMessage(value);
      if (message.ok()) continue;
      EXPECT_LT(MessageOf(message.status()).size(), 300u);
    }
    if (status.ok()) continue;
    ++faults;
    const size_t before = values.size();
    EXPECT_EQ(stream.Feed("{}", values), status);
    EXPECT_EQ(values.size(), before);
  }
  EXPECT_GT(faults, 1000) << "the damage is supposed to matter";
}

TEST(StreamProperty, RandomBytesNeverCrash) {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = round % 2 == 0 ? "{" : "";
    for (int i = 0; i < 64; ++i) bytes.push_back(static_cast<char>(random() % 256));
    Stream stream;
    Values values;
    (void)stream.Feed(bytes, values);
  }
}

TEST(Stream, KeepsTheMessagesBeforeGarbageAndSaysWhereItIs) {
  Stream stream;
  Values values;
  const absl::Status status = stream.Feed("{\"id\":1}\r\n\x01 SSH-2.0\n", values);
  EXPECT_EQ(values.size(), 1u);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(status), HasSubstr("at byte 10 ('? SSH-2.0?'): expected an object"));
}

TEST(Stream, SaysWhereAMessageGoesWrong) {
  Stream stream;
  Values values;
  const absl::Status status = stream.Feed("{\"return\" 5}", values);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(status), HasSubstr("'5}'"));
}

TEST(Stream, RefusesAMessageOfMoreThanAMebibyte) {
  Stream stream;
  Values values;
  absl::Status status = stream.Feed("{\"return\": \"", values);
  const std::string piece(64 * 1024, 'x');
  size_t fed = 0;
  while (status.ok() && fed < 4 * Stream::kMaxMessageBytes) {
    status = stream.Feed(piece, values);
    fed += piece.size();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_LE(fed, Stream::kMaxMessageBytes);
  EXPECT_TRUE(values.empty());
}

TEST(Stream, AMebibyteOfSmallMessagesIsFine) {
  Stream stream;
  Values values;
  for (int i = 0; i < 50'000; ++i) ASSERT_TRUE(stream.Feed("{\"return\": {}, \"id\": 12}\r\n", values).ok());
  EXPECT_EQ(values.size(), 50'000u);
}

TEST(Stream, RefusesDeepNesting) {
  Stream stream;
  Values values;
  const absl::Status status = stream.Feed("{\"a\":" + std::string(1000, '['), values);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(MessageOf(status), HasSubstr("nests deeper than 32"));
}

}  // namespace
}  // namespace ballast::vmm::qmp
