#include "host-bridge/config/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/text.h"
#include "host-bridge/config/config_keys.h"

namespace ballast::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A literal tree of files in a folder of its own.
class OptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(::testing::TempDir()) / StrCat("ballast_options_", test->name());
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string Write(const std::string& name, std::string_view text) {
    const auto path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }

  std::filesystem::path root_;
};

Answer AnswerOf(const std::vector<std::string>& arguments) {
  auto prepared = Prepare(arguments);
  EXPECT_TRUE(std::holds_alternative<Answer>(prepared));
  return std::get<Answer>(prepared);
}

constexpr std::string_view kGuestA = "[guest a]\ncontrol = /a.qmp\nagent = vsock:5:842\n";
constexpr std::string_view kGuestB = "[guest b]\ncontrol = /b.qmp\nagent = vsock:6:842\n";

TEST(ParseOptions, HasDefaults) {
  EXPECT_EQ(*ParseOptions({}), Options{});
  EXPECT_EQ(Options().config_path, "/etc/ballast/bridge.conf");
}

TEST(ParseOptions, ReadsEachOption) {
  const auto options = ParseOptions({"--config", "/x.conf", "--dry-run", "--log-level=debug"});
  EXPECT_EQ(*options, (Options{.config_path = "/x.conf", .dry_run = true, .log_level = LogLevel::kDebug}));
  EXPECT_EQ(ParseOptions({"--check-config"})->action, Action::kCheckConfig);
  EXPECT_EQ(ParseOptions({"--print-config"})->action, Action::kPrintConfig);
}

TEST(ParseOptions, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(MessageOf(ParseOptions({"--confg", "x"}).status()), HasSubstr("--confg"));
  EXPECT_FALSE(ParseOptions({"--check"}).ok()) << "no abbreviations";
  EXPECT_FALSE(ParseOptions({"x.conf"}).ok()) << "nothing stands alone";
  EXPECT_FALSE(ParseOptions({"--config"}).ok());
  EXPECT_THAT(MessageOf(ParseOptions({"--log-level", "loud"}).status()),
              HasSubstr("debug, info, warning, error"));
}

TEST(Prepare, AnswersHelpAndVersionWithoutAConfiguration) {
  EXPECT_THAT(AnswerOf({"--help"}).out, AllOf(HasSubstr("--check-config"), HasSubstr("--dry-run")));
  EXPECT_THAT(AnswerOf({"--version", "--config", "/nowhere"}).out,
              HasSubstr("ballast-bridge " BALLAST_VERSION));
  EXPECT_EQ(AnswerOf({"--nonsense"}).exit_code, 2);
}

TEST_F(OptionsTest, CheckCountsTheGuestsOfTheFileAndOfGuestsD) {
  const std::string file = Write("bridge.conf", kGuestA);
  Write("guests.d/b.conf", kGuestB);
  Write("guests.d/b.conf.bak", "nonsense");
  const Answer answer = AnswerOf({"--check-config", "--config", file});
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_EQ(answer.out, file + ": ok, 2 guests\n");
}

TEST_F(OptionsTest, CheckSaysHowGuestsAreManagedWhereThereAreNone) {
  const std::string file = Write("bridge.conf", "[bridge]\n");
  EXPECT_EQ(AnswerOf({"--check-config", "--config", file}).out,
            file + ": ok, 0 guests; a section [guest NAME] makes it manage one\n");
}

TEST_F(OptionsTest, ADirectoryIsReadInTheOrderOfNames) {
  Write("20-b.conf", kGuestB);
  Write("10-a.conf", kGuestA);
  const auto prepared = Prepare({"--config", root_.string()});
  ASSERT_TRUE(std::holds_alternative<BridgeConfig>(prepared));
  const auto& guests = std::get<BridgeConfig>(prepared).guests;
  ASSERT_EQ(guests.size(), 2u);
  EXPECT_EQ(guests[0].limits.name, "a");
  EXPECT_EQ(guests[1].limits.name, "b");
}

TEST_F(OptionsTest, CheckListsTheFaultsOfAllFiles) {
  const std::string file = Write("bridge.conf", "[bridge]\ntick = 1\n");
  const std::string guest = Write("guests.d/a.conf", "[guest a]\nagent = vsock:5:842\n");
  const Answer answer = AnswerOf({"--check-config", "--config", file});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.err,
              AllOf(HasSubstr(file + ":2: [bridge] tick = 1: "), HasSubstr(guest + ":1: [guest a]: ")));
}

TEST_F(OptionsTest, AMissingFileIsAFaultThatNamesIt) {
  const Answer answer = AnswerOf({"--config", (root_ / "none.conf").string()});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.err, HasSubstr("none.conf"));
  EXPECT_THAT(AnswerOf({"--config", root_.string()}).err, HasSubstr("holds no *.conf file"));
}

TEST_F(OptionsTest, TheCommandLineOverrulesTheFile) {
  const std::string file = Write("bridge.conf", "[bridge]\nlog-level = error\n");
  const auto config =
      std::get<BridgeConfig>(Prepare({"--config", file, "--log-level", "debug", "--dry-run"}));
  EXPECT_EQ(config.log_level, LogLevel::kDebug);
  EXPECT_TRUE(config.dry_run);
  EXPECT_EQ(std::get<BridgeConfig>(Prepare({"--config", file})).log_level, LogLevel::kError);
}

TEST_F(OptionsTest, PrintConfigIsAConfigurationThatPrintsTheSame) {
  const std::string file = Write("bridge.conf", kGuestA);
  const std::string printed = AnswerOf({"--print-config", "--config", file}).out;
  EXPECT_THAT(printed, HasSubstr("[guest a]\nvmm = qemu\ncontrol = /a.qmp\n"));
  EXPECT_EQ(AnswerOf({"--print-config", "--config", Write("again/bridge.conf", printed)}).out, printed);
}

TEST(DocsExample, PassesTheCheck) {
  const Answer answer =
      AnswerOf({"--check-config", "--config", BALLAST_SOURCE_DIR "/docs/examples/bridge.conf"});
  EXPECT_EQ(answer.exit_code, 0) << answer.err;
  EXPECT_THAT(answer.out, HasSubstr("ok, 2 guests"));
}

TEST(DocsExample, NamesEveryKey) {
  std::ostringstream text;
  text << std::ifstream(BALLAST_SOURCE_DIR "/docs/examples/bridge.conf").rdbuf();
  for (const auto& key : BridgeKeys()) EXPECT_THAT(text.str(), HasSubstr(StrCat(key.name, " = ")));
  for (const auto& key : PolicyKeys()) EXPECT_THAT(text.str(), HasSubstr(StrCat(key.name, " = ")));
  for (const auto& key : GuestKeys()) EXPECT_THAT(text.str(), HasSubstr(StrCat(key.name, " = ")));
}

}  // namespace
}  // namespace ballast::config
