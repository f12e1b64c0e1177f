#include "host-bridge/config/config_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/common/journal/scratch.h"

namespace ballast::config {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigFiles : public ::testing::Test {
 protected:
  const journal::Scratch scratch_;
  const std::string main_ = scratch_.Path("bridge.conf");
  const std::string guests_ = scratch_.Path("guests.d");
};

TEST_F(ConfigFiles, TheFileAndWhatLiesInGuestsD) {
  journal::WriteAll(main_, "[policy]\nlease = 45s\n");
  std::filesystem::create_directory(guests_);
  journal::WriteAll(guests_ + "/a.conf", "[guest a]\ncontrol = /a\nagent = vsock:5:842\n");
  journal::WriteAll(guests_ + "/b.txt", "no configuration");
  const Loaded loaded = LoadConfig(main_);
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.config.policy.lease, Seconds(45));
  EXPECT_EQ(loaded.config.guests.size(), 1u);
  EXPECT_THAT(LoadConfig(scratch_.Path("")).faults, IsEmpty()) << "the folder holds the same";
}

TEST_F(ConfigFiles, APipeIsRefusedAndNotWaitedFor) {
  ASSERT_EQ(mkfifo(main_.c_str(), 0600), 0);
  EXPECT_THAT(LoadConfig(main_).faults, ElementsAre(EndsWith("bridge.conf: is no regular file")));
}

TEST_F(ConfigFiles, WhatIsNotThereIsNamed) {
  EXPECT_THAT(LoadConfig(main_).faults, ElementsAre(HasSubstr("bridge.conf")));
  std::filesystem::create_directory(guests_);
  EXPECT_THAT(LoadConfig(guests_).faults, ElementsAre(EndsWith("guests.d: holds no *.conf file")));
}

}  // namespace
}  // namespace ballast::config
