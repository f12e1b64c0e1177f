// What a user types after `ballast-lab simulate` and `ballast-lab compare`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "host-bridge/lab/command_line.h"
#include "host-bridge/lab/commands.h"
#include "tests/common/journal/scratch.h"

namespace ballast::sim {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kShort[] = R"(
[scenario]
title = Two guests for a minute
length = 1min
[host]
total = 8GiB
[guests web]
count = 2
boot = 1GiB
workload = steady
[expect]
guest_oom_kills <= 0
)";

class CommandLine : public ::testing::Test {
 protected:
  CommandLine() { std::ofstream(file_) << kShort; }

  int Simulate(std::vector<std::string> arguments) {
    arguments.push_back(file_);
    return Run(SimulateCommand, arguments);
  }
  int Compare(std::vector<std::string> arguments) {
    arguments.push_back(file_);
    return Run(CompareCommand, arguments);
  }
  int Run(int (*command)(const std::vector<std::string>&, std::ostream&, std::ostream&),
          const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return command(arguments, out_, err_);
  }
  std::string err() { return err_.str(); }

  const journal::Scratch scratch_;
  const std::string file_ = scratch_.Path("short.scenario");
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CommandLine, RunsAFileUnderEachController) {
  EXPECT_EQ(Simulate({"--seeds", "2", "--threads", "1"}), kExitOk) << err();
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("short: ballast"), HasSubstr("2 worlds"), HasSubstr("kept")));
  EXPECT_EQ(Compare({"--seeds", "1", "--controllers", "ballast,static"}), kExitOk) << err();
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("static"), HasSubstr("Verdict")));
}

TEST_F(CommandLine, NothingIsSaidOfBallastWhereItDidNotRun) {
  EXPECT_EQ(Compare({"--seeds", "1", "--controllers", "static"}), kExitOk) << err();
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("was not run"), Not(HasSubstr("none"))));
}

TEST_F(CommandLine, ALinkToItselfIsRefused) {
  const std::string link = scratch_.Path("loop.scenario");
  std::filesystem::create_symlink("loop.scenario", link);
  EXPECT_EQ(Run(SimulateCommand, {scratch_.Path("")}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("loop.scenario: is no regular file"));
}

TEST_F(CommandLine, NumbersOutOfRangeAreRefused) {
  EXPECT_EQ(Simulate({"--seed", "-1"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("--seed: -1 is out of range; write 0.."));
  EXPECT_EQ(Simulate({"--threads", "-1"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("--threads: -1 is out of range; write 0..4096"));
  EXPECT_EQ(Compare({"--seeds", "0"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("--seeds: 0 is out of range; write 1.."));
  EXPECT_EQ(Compare({"--seeds", "3000000000"}), kExitUsage);
  EXPECT_EQ(Compare({"--density", "--density-seeds", "0"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("--density-seeds: 0 is out of range"));
}

TEST_F(CommandLine, AnOptionThatWouldSayNothingIsRefused) {
  EXPECT_EQ(Compare({"--density-seeds", "5"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("--density"));
  EXPECT_EQ(Simulate({"--controller", "neon", "--policy", "lease=45s"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("nothing to neon"));
}

TEST_F(CommandLine, APolicyIsSaidInItsKeys) {
  EXPECT_EQ(Simulate({"--policy", "lease=45s"}), kExitOk) << err();
  EXPECT_EQ(Simulate({"--policy", "leese=45s"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("did you mean 'lease'?"));
  EXPECT_EQ(Simulate({"--policy", "critical=50%"}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("critical = 50%: must not be above pressed = 6%"));
}

TEST_F(CommandLine, TwoFilesOfOneNameAreRefused) {
  std::filesystem::create_directory(scratch_.Path("more"));
  const std::string other = scratch_.Path("more") + "/short.scenario";
  std::filesystem::copy_file(file_, other);
  EXPECT_EQ(Simulate({other}), kExitUsage);
  EXPECT_THAT(err(), HasSubstr("a scenario called 'short' is already there"));
  EXPECT_THAT(out_.str(), IsEmpty());
}

}  // namespace
}  // namespace ballast::sim
