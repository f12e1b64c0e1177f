#include "guest-agent/service/convert_event.h"

#include <gtest/gtest.h>

namespace ballast::agent {
namespace {

guest::v1::Event Converted(const EventFacts& facts) {
  guest::v1::Event event;
  FillEvent(facts, event);
  EXPECT_EQ(event.monotonic_ns(), facts.at.ns);
  return event;
}

TEST(ConvertEvent, EachKindBecomesItsOwn) {
  const auto kills = Converted({{11}, OomKills{.kills = 2, .total = 5}});
  EXPECT_EQ(kills.oom_kill().kills(), 2);
  EXPECT_EQ(kills.oom_kill().total(), 5);
  const auto trigger = Converted({{12}, PressureTriggered{.threshold_us = 150, .window_us = 1'000}});
  EXPECT_EQ(trigger.pressure_trigger().threshold_us(), 150);
  EXPECT_EQ(trigger.pressure_trigger().window_us(), 1'000);
  const auto shrank = Converted({{13}, BalloonShrank{.bytes = 4096}});
  EXPECT_EQ(shrank.balloon_shrank().bytes(), 4096);
}

}  // namespace
}  // namespace ballast::agent
