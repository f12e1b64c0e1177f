#include "common/kernel/udev_rules_parser.h"

#include <gtest/gtest.h>

namespace ballast::kernel {
namespace {

TEST(UdevRules, OneLineThatWritesStateOfAMemoryBlock) {
  EXPECT_TRUE(BringsMemoryOnline(
      "SUBSYSTEM==\"memory\", ACTION==\"add\", ATTR{state}==\"offline\", ATTR{state}=\"online\"\n"));
  EXPECT_TRUE(BringsMemoryOnline("ACTION==\"add\", SUBSYSTEM==\"memory\", ATTR{online}=\"1\""));
  EXPECT_TRUE(BringsMemoryOnline("SUBSYSTEM==\"memory\", \\\n  ATTR{state} = \"online_movable\"\n"));
}

TEST(UdevRules, AFileThatJumpsOverItsRulesForAllOthers) {
  EXPECT_TRUE(
      BringsMemoryOnline("# hotadd\n"
                         "SUBSYSTEM!=\"memory\", GOTO=\"end\"\n"
                         "ENV{.state}=\"online\"\n"
                         "ATTR{state}==\"offline\", ATTR{state}=\"$env{.state}\"\n"
                         "LABEL=\"end\"\n"));
}

TEST(UdevRules, WhatDoesNotWriteOrIsAboutSomethingElseIsNoRival) {
  EXPECT_FALSE(BringsMemoryOnline(""));
  EXPECT_FALSE(BringsMemoryOnline("SUBSYSTEM==\"memory\", ATTR{state}==\"offline\", RUN+=\"/bin/true\"\n"));
  EXPECT_FALSE(BringsMemoryOnline("SUBSYSTEM==\"cpu\", ATTR{online}=\"1\"\n")) << "processors";
  EXPECT_FALSE(
      BringsMemoryOnline("SUBSYSTEM==\"memory\", NAME=\"x\"\n"
                         "SUBSYSTEM==\"cpu\", ACTION==\"add\", \\\n  ATTR{online}=\"1\"\n"));
  EXPECT_FALSE(BringsMemoryOnline("# SUBSYSTEM==\"memory\", ATTR{state}=\"online\"\n"));
  EXPECT_FALSE(BringsMemoryOnline("SUBSYSTEMS==\"memory\", ATTR{state}=\"online\"\n"));
}

}  // namespace
}  // namespace ballast::kernel
