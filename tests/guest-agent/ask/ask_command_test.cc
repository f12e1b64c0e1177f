#include "guest-agent/ask/ask_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "common/base/units.h"

namespace ballast::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::StatusOr<AskOptions> Parse(std::vector<const char*> arguments) {
  return ParseAskOptions(static_cast<int>(arguments.size()), arguments.data());
}

std::string FaultOf(std::vector<const char*> arguments) {
  const auto options = Parse(std::move(arguments));
  EXPECT_TRUE(absl::IsInvalidArgument(options.status()));
  return std::string(options.status().message());
}

TEST(AskOptions, ReadsSizeUrgencyDeadlineAndNames) {
  const auto options = Parse({"256MiB", "--urgency", "kill", "--deadline", "500ms", "--socket", "/run/x.sock",
                              "--asker", "earlyoom", "--json"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->bytes, 256 * kMiB);
  EXPECT_EQ(options->urgency, Urgency::kKill);
  EXPECT_EQ(options->deadline_ms, 500);
  EXPECT_EQ(options->socket, "/run/x.sock");
  EXPECT_EQ(options->asker, "earlyoom");
  EXPECT_TRUE(options->json);
  const auto plain = Parse({"1GiB", "--deadline=60s"});
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->urgency, Urgency::kNormal);
  EXPECT_EQ(plain->deadline_ms, 60'000);
  EXPECT_EQ(plain->socket, "/run/ballast/agent.sock");
}

TEST(AskOptions, NamesEveryFaultAtOnce) {
  EXPECT_THAT(FaultOf({"256MB", "--urgency", "panic", "--deadline", "2m", "--socket", "x.sock"}),
              AllOf(HasSubstr("256MiB"), HasSubstr("urgency 'panic'"), HasSubstr("deadline '2m'"),
                    HasSubstr("socket 'x.sock'")));
  EXPECT_THAT(FaultOf({}), HasSubstr("is not a whole number with a unit"));
  EXPECT_THAT(FaultOf({"0"}), HasSubstr("size '0'"));
  EXPECT_THAT(FaultOf({"2048TiB"}), HasSubstr("size '2048TiB'"));
  EXPECT_THAT(FaultOf({"1MiB", "--deadline", "61s"}), HasSubstr("deadline '61s'"));
  EXPECT_THAT(FaultOf({"1MiB", "--deadline", "0ms"}), HasSubstr("deadline '0ms'"));
  EXPECT_THAT(FaultOf({"1MiB", "--asker", std::string(65, 'x').c_str()}), HasSubstr("at most 64 bytes"));
  EXPECT_THAT(FaultOf({"1MiB", "2MiB"}), HasSubstr("too many positional"));
  EXPECT_THAT(FaultOf({"1MiB", "--nonsense"}), HasSubstr("nonsense"));
}

TEST(AskAnswer, IsToldInWordsAndInJson) {
  AskOptions options;
  options.bytes = 256 * kMiB;
  EXPECT_EQ(ToText(options, {256 * kMiB, "balloon", 40, ""}), "granted 256MiB by balloon, here within 40 ms");
  EXPECT_EQ(ToText(options, {64 * kMiB, "balloon", 4, "host is short"}),
            "granted 64MiB of 256MiB by balloon, here within 4 ms: host is short");
  EXPECT_EQ(ToText(options, {0, "", 0, "host is short"}), "nothing granted: host is short");
  EXPECT_EQ(ToJson(options, {64 * kMiB, "balloon", 4, "a \"b\"\n\\"}),
            "{\"asked_bytes\":268435456,\"granted_bytes\":67108864,\"actuator\":\"balloon\",\"eta_ms\":4,"
            "\"reason\":\"a \\\"b\\\"\\u000a\\\\\"}");
}

TEST(AskAnswer, TheExitCodeSaysHowMuch) {
  AskOptions options;
  options.bytes = 100;
  EXPECT_EQ(ExitCodeOf(options, {100, "", 0, ""}), 0);
  EXPECT_EQ(ExitCodeOf(options, {99, "", 0, ""}), 3);
  EXPECT_EQ(ExitCodeOf(options, {0, "", 0, ""}), 1);
}

TEST(AskCommand, WithoutAnAgentItSaysSoAndFails) {
  std::ostringstream out;
  std::ostringstream error;
  const std::vector<const char*> arguments{"1MiB", "--socket", "/nowhere/agent.sock", "--json"};
  EXPECT_EQ(RunAsk(static_cast<int>(arguments.size()), arguments.data(), out, error), 1);
  EXPECT_THAT(error.str(), HasSubstr("the agent cannot be reached"));
  EXPECT_THAT(out.str(), HasSubstr("\"granted_bytes\":0"));
}

TEST(AskCommand, HelpDocumentsTheExitCodes) {
  std::ostringstream out;
  std::ostringstream error;
  const char* const arguments[] = {"--help"};
  EXPECT_EQ(RunAsk(1, arguments, out, error), 0);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("Exit code: 0 all"), HasSubstr("3 a part"), HasSubstr("--urgency")));
}

}  // namespace
}  // namespace ballast::agent
