// What a user types after `ballast-lab replay`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "host-bridge/lab/command_line.h"
#include "host-bridge/lab/commands.h"
#include "tests/common/journal/scratch.h"
#include "tests/host-bridge/record/journal_world.h"

namespace ballast::sim {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A policy that sees no shortage.
const std::vector<std::string> kSleepy = {
    "critical=0%",   "critical-min=0", "critical-max=0",        "pressed=0%",
    "pressed-min=0", "pressed-max=0",  "exhaustion-horizon=0ms"};

class ReplayCommandLine : public ::testing::Test {
 protected:
  ReplayCommandLine() {
    record::Recorder recorder(record::RecorderAt(journal_), [](LogLevel, const std::string&) {});
    record::PlayWorld(60, &recorder);
  }

  int Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return ReplayCommand(arguments, out_, err_);
  }

  const journal::Scratch scratch_;
  const std::string journal_ = scratch_.Path("journal");
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(ReplayCommandLine, TheSamePolicyDecidesTheSame) {
  EXPECT_EQ(Run({journal_}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("60 entries"));
  EXPECT_EQ(Run({journal_, "--carried"}), 0) << err_.str();
}

TEST_F(ReplayCommandLine, AnotherPolicyShowsWhatItWouldDo) {
  std::vector<std::string> arguments = {journal_};
  for (const std::string& setting : kSleepy) arguments.insert(arguments.end(), {"--policy", setting});
  EXPECT_EQ(Run(arguments), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("would be"));
  arguments.insert(arguments.end(), {"--changes", "0"});
  EXPECT_EQ(Run(arguments), 0);
  EXPECT_THAT(out_.str(), Not(HasSubstr("would be"))) << "counted, not shown";
}

TEST_F(ReplayCommandLine, AConfigurationReplacesTheRecordedPolicy) {
  const std::string config = scratch_.Path("bridge.conf");
  std::string text = "[policy]\n";
  for (const std::string& setting : kSleepy) text += setting + "\n";
  journal::WriteAll(config, text);
  EXPECT_EQ(Run({journal_, "--config", config}), 0) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("would be"));
}

TEST_F(ReplayCommandLine, WrongArgumentsAreNamed) {
  EXPECT_EQ(Run({}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("name a journal"));
  EXPECT_EQ(Run({journal_, "--policy", "presed=5%"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("did you mean 'pressed'"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("entries"))) << "nothing is replayed";
  EXPECT_EQ(Run({journal_, "--config", scratch_.Path("none.conf")}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("none.conf"));
  EXPECT_EQ(Run({scratch_.Path("none")}), kExitUsage);
  EXPECT_EQ(Run({journal_, "--changes", "-1"}), kExitUsage);
}

}  // namespace
}  // namespace ballast::sim
