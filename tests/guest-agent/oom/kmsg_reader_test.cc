#include "guest-agent/oom/kmsg_reader.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "common/base/text.h"
#include "tests/guest-agent/oom/log_pipe.h"

namespace ballast::agent {
namespace {

TEST(KmsgReader, OneRecordAtATimeAndNeverWaits) {
  LogPipe log;
  KmsgReader reader(log.TakeReader());
  EXPECT_FALSE(reader.Next().has_value());
  log.Write("6,1,1,-;one\n");
  log.Write("6,2,2,-;two\n");
  EXPECT_EQ(reader.Next(), "6,1,1,-;one\n");
  EXPECT_EQ(reader.Next(), "6,2,2,-;two\n");
  EXPECT_FALSE(reader.Next().has_value());
  EXPECT_TRUE(reader.IsAlive());
}

TEST(KmsgReader, ALogThatEndedIsLeftAlone) {
  LogPipe log;
  KmsgReader reader(log.TakeReader());
  log.Close();
  EXPECT_FALSE(reader.Next().has_value());
  EXPECT_FALSE(reader.IsAlive());
  EXPECT_FALSE(reader.Next().has_value());
}

TEST(KmsgReader, WhatIsNoLogIsNotOpened) {
  const std::string root = StrCat("/tmp/ballast-kmsg-test.", ::getpid());
  EXPECT_TRUE(absl::IsNotFound(KmsgReader::Open(FileReader(root)).status()));
  std::filesystem::create_directories(root + "/dev");
  std::ofstream(root + "/dev/kmsg") << "6,1,1,-;one\n";
  EXPECT_THAT(MessageOf(KmsgReader::Open(FileReader(root)).status()), ::testing::HasSubstr("no device"));
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace ballast::agent
