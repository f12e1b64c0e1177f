#include "guest-agent/options.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "common/base/text.h"

namespace ballast::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::StatusOr<Options> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "ballast-agent");
  return ParseOptions(static_cast<int>(words.size()), words.data());
}

// Until the test program ends.
std::string WriteConfig(const std::string& text) {
  static const struct File {
    ~File() { std::filesystem::remove(path); }
    std::string path = StrCat(::testing::TempDir(), "ballast_agent_options_test-", ::getpid(), ".conf");
  } file;
  std::ofstream(file.path) << text;
  return file.path;
}

TEST(Options, NothingSaidIsTheDefault) {
  const auto options = Parse({});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->config, AgentConfig{});
  EXPECT_EQ(options->action, Action::kRun);
}

TEST(Options, ProtectionCanBeDoneWithout) {
  EXPECT_TRUE(Parse({})->config.protect);
  const auto options = Parse({"--no-protection"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(options->config.protect);
  EXPECT_THAT(ToText(options->config), HasSubstr("no-protection = true\n"));
}

TEST(Options, WherePluggedMemoryGoes) {
  EXPECT_EQ(Parse({})->config.online, "auto");
  for (const char* where : {"auto", "kernel", "movable", "off"})
    EXPECT_EQ(Parse({"--online", where})->config.online, where);
  const auto wrong = Parse({"--online", "Movable"});
  EXPECT_THAT(MessageOf(wrong.status()),
              HasSubstr("online = Movable: allowed are auto, kernel, movable, off"));
}

TEST(Options, TheCommandLineGoesBeforeTheFile) {
  const std::string path = WriteConfig("vsock-port = 900\nassumed-burst = 2GiB\nno-vsock = true\n");
  const auto options = Parse({"--config", path.c_str(), "--vsock-port", "901"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->config.vsock_port, 901u);
  EXPECT_EQ(options->config.assumed_burst_bytes_per_second, 2 * kGiB);
  EXPECT_FALSE(options->config.vsock);
}

TEST(Options, WhatIsPrintedReadsBackTheSame) {
  AgentConfig config;
  config.vsock_port = 77;
  config.vsock = false;
  config.socket = "/tmp/s";
  config.dial = "2:1001";
  config.root = "/tmp/r";
  config.online = "movable";
  config.bpf = false;
  config.kmsg = false;
  config.assumed_burst_bytes_per_second = 3 * kMiB;
  config.log_level = LogLevel::kError;
  const std::string path = WriteConfig(ToText(config));
  const auto options = Parse({"--config", path.c_str()});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->config, config);
}

// Each of its lines, uncommented, is a setting, and the default.
TEST(Options, TheExampleShowsEverySettingWithItsDefault) {
  std::ifstream example(BALLAST_SOURCE_DIR "/docs/examples/agent.conf");
  std::string text;
  int settings = 0;
  for (std::string line; std::getline(example, line);) {
    if (!line.starts_with("# ") || line.find(" =") == std::string::npos) continue;
    text += line.substr(2) + "\n";
    ++settings;
  }
  const auto options = Parse({"--config", WriteConfig(text).c_str()});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->config, AgentConfig{});
  const std::string all = ToText(AgentConfig{});
  EXPECT_EQ(settings, std::count(all.begin(), all.end(), '\n'));
}

TEST(Options, AllFaultsAreToldAtOnce) {
  const auto options =
      Parse({"--vsock-port", "1024", "--dial", "3:5", "--assumed-burst", "4MB", "--log-level", "loud"});
  ASSERT_FALSE(options.ok());
  EXPECT_THAT(MessageOf(options.status()),
              AllOf(HasSubstr("vsock-port = 1024"), HasSubstr("1..1023"), HasSubstr("dial = 3:5"),
                    HasSubstr("write '4MiB'"), HasSubstr("log-level = loud")));
}

TEST(Options, RefusesWhatItDoesNotKnow) {
  EXPECT_FALSE(Parse({"--frobnicate"}).ok());
  EXPECT_FALSE(Parse({"stray"}).ok());
  EXPECT_FALSE(Parse({"--config", "/nonexistent/agent.conf"}).ok());
  const std::string path = WriteConfig("colour = red\n");
  EXPECT_FALSE(Parse({"--config", path.c_str()}).ok());
}

TEST(Options, AnAgentNobodyCanReachIsAFault) {
  const auto options = Parse({"--no-vsock", "--socket", ""});
  ASSERT_FALSE(options.ok());
  EXPECT_THAT(MessageOf(options.status()), HasSubstr("nobody could reach"));
}

TEST(Options, EachSourceOfOomKillsCanBeTurnedOff) {
  const auto options = Parse({"--no-bpf"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(options->config.bpf);
  EXPECT_TRUE(options->config.kmsg);
  EXPECT_FALSE(Parse({"--no-kmsg"})->config.kmsg);
  EXPECT_THAT(Parse({"--help"})->help, AllOf(HasSubstr("--no-bpf"), HasSubstr("--no-kmsg")));
}

TEST(Options, HelpAndVersionNeedNoValidConfiguration) {
  EXPECT_EQ(Parse({"--help", "--vsock-port", "5000"})->action, Action::kHelp);
  EXPECT_EQ(Parse({"--version"})->action, Action::kVersion);
  EXPECT_EQ(Parse({"--help", "--config", "/nowhere/agent.conf"})->action, Action::kHelp);
}

TEST(Options, AFileThatCannotBeReadIsNoDefault) {
  EXPECT_FALSE(Parse({"--config", "/nowhere/agent.conf", "--check-config"}).ok());
  EXPECT_FALSE(Parse({"--config", "/", "--check-config"}).ok()) << "a directory";
}

TEST(Options, UnknownKeysAreToldTogetherWithOtherFaults) {
  const std::string path = WriteConfig("vsock-prot = 900\nbogus = 1\nlog-level = loud\n");
  const auto options = Parse({"--config", path.c_str()});
  EXPECT_THAT(std::string(options.status().message()),
              AllOf(HasSubstr("'vsock-prot'"), HasSubstr("'bogus'"), HasSubstr("log-level = loud")));
}

TEST(Options, EveryFaultOfAFileIsToldWithItsLine) {
  const std::string path = WriteConfig(
      "# an agent\nvsock-port = often\nno-bpf = perhaps\n[agent]\nonline = Movable  # a comment\nonline = "
      "off\n"
      "just words\nlog-level = loud\nassumed-burst = 1GiB\n");
  const auto options = Parse({"--config", path.c_str(), "--assumed-burst", "4MB"});
  std::string text = MessageOf(options.status());
  for (size_t at = 0; (at = text.find(path, at)) != std::string::npos;) text.replace(at, path.size(), "F");
  EXPECT_EQ(text,
            "assumed-burst: size '4MB' uses the unit 'MB'; write '4MiB' (binary units only)\n"
            "F:2: vsock-port = often: allowed are 1..1023\n"
            "F:3: no-bpf = perhaps: write true or false\n"
            "F:4: '[agent]': this file has no sections; leave the line out\n"
            "F:5: online = Movable: allowed are auto, kernel, movable, off\n"
            "F:6: online is set in line 5 already\n"
            "F:7: 'just words' is no setting; write key = value\n"
            "F:8: log-level = loud: allowed are debug, info, warning, error");
}

TEST(Options, APortIsANumberAsItIsWritten) {
  for (const char* port : {"-1", "0x10", "12a", "4294967297", "0", "1024", ""}) {
    const std::string path = WriteConfig(StrCat("vsock-port = ", port));
    const auto options = Parse({"--config", path.c_str()});
    EXPECT_THAT(MessageOf(options.status()), HasSubstr(StrCat(path, ":1: vsock-port ")));
  }
}

// A line that is half written would switch something off.
TEST(Options, AnEmptyValueIsNoneButForWhatMayBeEmpty) {
  for (const char* key :
       {"no-bpf", "no-kmsg", "no-vsock", "no-protection", "log-level", "online", "assumed-burst"}) {
    const auto options = Parse({"--config", WriteConfig(StrCat(key, " =\n")).c_str()});
    EXPECT_THAT(MessageOf(options.status()), HasSubstr(StrCat(key, " has no value"))) << key;
  }
  const auto options = Parse({"--config", WriteConfig("socket =\ndial =\nroot =\n").c_str()});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->config.socket, "");
}

TEST(Options, AFileIsSoughtWhereTheCallerStands) {
  const std::string path = WriteConfig("vsock-port = 77\n");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(std::filesystem::path(path).parent_path());
  const auto options = Parse({"--config", std::filesystem::path(path).filename().c_str()});
  std::filesystem::current_path(before);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->config.vsock_port, 77u);
}

TEST(Options, OfASwitchTheFileTakesEveryCommonWord) {
  for (const char* on : {"true", "yes", "on", "1"})
    EXPECT_FALSE(Parse({"--config", WriteConfig(StrCat("no-bpf = ", on)).c_str()})->config.bpf) << on;
  for (const char* off : {"false", "no", "off", "0"})
    EXPECT_TRUE(Parse({"--config", WriteConfig(StrCat("no-bpf=", off)).c_str()})->config.bpf) << off;
}

}  // namespace
}  // namespace ballast::agent
