#include "host-bridge/config/print_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "host-bridge/config/config_keys.h"
#include "host-bridge/config/interpret.h"

namespace ballast::config {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAreArray;

Loaded ReadBack(const BridgeConfig& config) { return Interpret({{"printed", PrintConfig(config)}}); }

// Nothing at its default.
BridgeConfig Unusual() {
  BridgeConfig config;
  config.host_root = "/host";
  config.log_level = LogLevel::kWarning;
  config.tick = Milliseconds(1500);
  config.vmm_deadline = Milliseconds(700);
  config.journal = "/var/lib/a journal";
  config.journal_max_bytes = 3 * kMiB;
  config.reports = {Seconds(9), Milliseconds(1250), Milliseconds(30)};
  config.policy.critical_permyriad = 567;
  config.policy.critical_max_bytes = 384 * kMiB + kKiB;
  config.policy.max_block = Seconds(4000);
  config.policy.stall_bytes_per_second = 33 * kMiB;
  GuestEntry guest;
  guest.limits = {.name = "a.b",
                  .floor_bytes = 640 * kMiB,
                  .baseline_bytes = 1536 * kMiB,
                  .ceiling_bytes = 3 * kGiB,
                  .weight = 7,
                  .mode = policy::Mode::kObserve};
  guest.control = "/run/vm/a b.qmp";
  guest.agent = HybridAddress{"/run/vm/a.vsock", 842};
  guest.link = Link::kListen;
  GuestEntry plain;
  plain.limits.name = "plain";
  plain.control = "/c";
  plain.agent = VsockAddress{7, 842};
  config.guests = {guest, plain};
  return config;
}

TEST(PrintConfig, IsReadBackAsTheSameConfiguration) {
  const BridgeConfig config = Unusual();
  const Loaded back = ReadBack(config);
  ASSERT_THAT(back.faults, IsEmpty());
  EXPECT_EQ(back.config.host_root, config.host_root);
  EXPECT_EQ(back.config.log_level, config.log_level);
  EXPECT_EQ(back.config.tick, config.tick);
  EXPECT_EQ(back.config.vmm_deadline, config.vmm_deadline);
  EXPECT_EQ(back.config.reports, config.reports);
  EXPECT_EQ(back.config.journal, config.journal);
  EXPECT_EQ(back.config.journal_max_bytes, config.journal_max_bytes);
  EXPECT_EQ(back.config.policy.critical_permyriad, config.policy.critical_permyriad);
  EXPECT_EQ(back.config.policy.critical_max_bytes, config.policy.critical_max_bytes);
  EXPECT_EQ(back.config.policy.max_block, config.policy.max_block);
  EXPECT_EQ(back.config.policy.stall_bytes_per_second, config.policy.stall_bytes_per_second);
  EXPECT_EQ(back.config.guests, config.guests);
  EXPECT_EQ(PrintConfig(back.config), PrintConfig(config));
}

TEST(PrintConfig, TheDefaultsAreReadBackAndAllNamed) {
  const std::string text = PrintConfig(BridgeConfig());
  EXPECT_THAT(ReadBack(BridgeConfig()).faults, IsEmpty());
  EXPECT_EQ(PrintConfig(ReadBack(BridgeConfig()).config), text);
  for (const auto& key : PolicyKeys()) EXPECT_THAT(text, HasSubstr("\n" + std::string(key.name) + " = "));
  EXPECT_THAT(text, HasSubstr("host-reserve = 10%\nhost-reserve-min = 512MiB\n"));
  EXPECT_THAT(text, Not(HasSubstr("host-root")));
}

// A number added to PolicyConfig needs a key here, so the test reads its declaration.
TEST(PolicyKeys, CoverEveryNumberOfThePolicy) {
  std::ifstream header(BALLAST_SOURCE_DIR "/host-bridge/policy/policy_config.h");
  const std::regex member(R"(^  (int32_t|int64_t|Nanos) (\w+) = .*)");
  std::vector<std::string> declared;
  for (std::string line; std::getline(header, line);) {
    if (std::smatch match; std::regex_match(line, match, member)) declared.push_back(match[2]);
  }
  std::vector<std::string> keys;
  for (const auto& key : PolicyKeys()) keys.emplace_back(key.field);
  EXPECT_THAT(keys, UnorderedElementsAreArray(declared));
}

}  // namespace
}  // namespace ballast::config
