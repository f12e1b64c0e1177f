#include "common/kernel/uevent_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::ElementsAre;

BlockUevent Is(BlockAction action, int64_t number) { return {action, number}; }

// Datagrams as they were received, each followed by a line "--".
std::vector<BlockUevent> Recorded(const char* name) {
  std::string text = Fixture(name);
  std::vector<BlockUevent> events;
  constexpr std::string_view kEnd = "\n--\n";
  for (size_t end = text.find(kEnd); end != std::string::npos; end = text.find(kEnd)) {
    if (const auto event = ParseBlockUevent(std::string_view(text).substr(0, end))) events.push_back(*event);
    text.erase(0, end + kEnd.size());
  }
  return events;
}

TEST(Uevent, TellsWhatHappenedToWhichBlock) {
  // A kernel that brings blocks online itself, then rolls a failed removal back.
  EXPECT_THAT(
      Recorded("uevents-dimm-6.12"),
      ElementsAre(Is(BlockAction::kAdd, 32), Is(BlockAction::kAdd, 33), Is(BlockAction::kOnline, 32),
                  Is(BlockAction::kOnline, 33), Is(BlockAction::kOffline, 33), Is(BlockAction::kOnline, 33)))
      << "and nothing of the container's event among them";
}

TEST(Uevent, OneThatSomebodyMadeByHandIsNothing) {
  using namespace std::string_literals;
  const std::string real = "add@/devices/system/memory/memory5\0ACTION=add\0SUBSYSTEM=memory\0SEQNUM=7\0"s;
  EXPECT_EQ(ParseBlockUevent(real), Is(BlockAction::kAdd, 5));
  const std::string made =
      "add@/devices/system/memory/memory5\0ACTION=add\0SUBSYSTEM=memory\0SYNTH_UUID=0\0SEQNUM=7\0"s;
  EXPECT_EQ(ParseBlockUevent(made), std::nullopt);
}

TEST(Uevent, WhatIsNotOfMemoryBlocksIsNothing) {
  using namespace std::string_literals;
  for (const std::string& other : {
           ""s,
           "add@/devices/system/memory/memory32"s,
           "add@/devices/system/memory/memory32\0SUBSYSTEM=cpu\0"s,
           "add@/devices/system/cpu/memory32\0SUBSYSTEM=memory\0"s,
           "add@/devices/system/memory/memory\0SUBSYSTEM=memory\0"s,
           "add@/devices/system/memory/memory3/x\0SUBSYSTEM=memory\0"s,
           "change@/devices/system/memory/memory3\0SUBSYSTEM=memory\0"s,
           "/devices/system/memory/memory3\0SUBSYSTEM=memory\0"s,
           "add@/devices/system/memory/memory3\0XSUBSYSTEM=memory\0"s,
       }) {
    EXPECT_EQ(ParseBlockUevent(other), std::nullopt) << other;
  }
  EXPECT_EQ(ParseBlockUevent("remove@/devices/system/memory/memory3\0SUBSYSTEM=memory"s),
            Is(BlockAction::kRemove, 3))
      << "cut off after what matters";
}

}  // namespace
}  // namespace ballast::kernel
