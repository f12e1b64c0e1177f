#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"
#include "host-bridge/lab/scenario/scenario.h"

namespace ballast::sim {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kHead = "[scenario]\ntitle = A test\nlength = 1h\n";
constexpr std::string_view kHost = "[host]\ntotal = 8GiB\n";
constexpr std::string_view kGuests = "[guests web]\ncount = 3\nboot = 2GiB\nworkload = steady\n";

absl::StatusOr<Scenario> Read(std::string_view text) { return ReadScenario("scenarios/t.scenario", text); }

// The faults of a right scenario with `more` below it; empty when there are none.
std::string FaultsOf(std::string_view more) {
  return MessageOf(Read(StrCat(kHead, kHost, kGuests, more)).status());
}

TEST(ReadScenarioTest, ReadsAWholeFile) {
  const auto scenario = Read(R"(# Lines of this kind are comments.
[scenario]
title = Two kinds of guests, and what befalls them
length = 2h
density = yes
[host]
total = 16GiB
others = 1GiB
swap = 4GiB
vmm-overhead = 64MiB
[policy]
host-reserve = 5%
lease = 1min
[guests web]
count = 2
boot = 4GiB
floor = 512MiB
baseline = 2GiB
ceiling = 3GiB
weight = 200
mode = guard
zram = 1GiB
take-speed = 500MiB/s
give-speed = 1GiB/s
returns-nothing = yes
starts = 5min
workload = burst
rate = 64MiB/s..1GiB/s
[guests db]
boot = 8GiB
workload = steady
used = 12.5%
[event night]
guest = web
kind = agent-silent
at = 10min
length = 1min
[event reset]
guest = web-2
kind = reset
at = 20min
[event neighbours]
guest = host
kind = pressure
at = 30min
length = 5min
every = 40min
value = 3GiB
[expect]
guest_oom_kills <= 0
bytes_taken >= 1GiB
residency_amplification <= 1.25
)");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->name(), "t");
  EXPECT_EQ(scenario->title(), "Two kinds of guests, and what befalls them");
  EXPECT_TRUE(scenario->measures_density());
  EXPECT_EQ(scenario->guests(), 3);

  const WorldPlan plan = scenario->Plan(7);
  EXPECT_EQ(plan.scenario, "t");
  EXPECT_EQ(plan.seed, 7u);
  EXPECT_EQ(plan.length, Seconds(7200));
  EXPECT_EQ(plan.host.total_bytes, 16 * kGiB);
  EXPECT_EQ(plan.host.others_bytes, kGiB);
  EXPECT_EQ(plan.host.swap_bytes, 4 * kGiB);
  EXPECT_EQ(plan.host.vmm_overhead_bytes, 64 * kMiB);
  EXPECT_EQ(plan.policy.host_reserve_permyriad, 500);
  EXPECT_EQ(plan.policy.lease, Seconds(60));
  using HostKind = HostEvent::Kind;
  EXPECT_EQ(plan.host.events,
            (std::vector<HostEvent>{{HostKind::kPressure, Seconds(1800), Seconds(300), 3 * kGiB},
                                    {HostKind::kPressure, Seconds(4200), Seconds(300), 3 * kGiB},
                                    {HostKind::kPressure, Seconds(6600), Seconds(300), 3 * kGiB}}));

  ASSERT_EQ(plan.guests.size(), 3u);
  const GuestPlan& web = plan.guests[0];
  EXPECT_EQ(web.limits.name, "web-1");
  EXPECT_EQ(web.limits.floor_bytes.value_or(0), 512 * kMiB);
  EXPECT_EQ(web.limits.baseline_bytes.value_or(0), 2 * kGiB);
  EXPECT_EQ(web.limits.ceiling_bytes.value_or(0), 3 * kGiB);
  EXPECT_EQ(web.limits.weight, 200);
  EXPECT_EQ(web.limits.mode, policy::Mode::kGuard);
  EXPECT_EQ(web.boot_bytes, 4 * kGiB);
  EXPECT_EQ(web.zram_bytes, kGiB);
  EXPECT_EQ(web.device, (DeviceSpec{.take_bytes_per_second = 500 * kMiB,
                                    .give_bytes_per_second = kGiB,
                                    .returns_nothing = true}));
  EXPECT_EQ(web.starts_at, Seconds(300));
  using GuestKind = GuestEvent::Kind;
  const GuestEvent silent{GuestKind::kAgentSilent, Seconds(600), Seconds(60), 0};
  EXPECT_EQ(web.events, std::vector<GuestEvent>{silent});
  EXPECT_EQ(plan.guests[1].events,
            (std::vector<GuestEvent>{silent, {GuestKind::kReset, Seconds(1200), {}, 0}}));
  EXPECT_TRUE(plan.guests[2].events.empty());
  EXPECT_EQ(plan.guests[2].workload()->Next().anon_bytes, kGiB);

  ASSERT_EQ(scenario->expectations().size(), 3u);
  EXPECT_EQ(scenario->expectations()[1].measure, "bytes_taken");
  EXPECT_EQ(scenario->expectations()[1].relation, Expectation::Relation::kAtLeast);
  EXPECT_EQ(scenario->expectations()[1].limit, static_cast<double>(kGiB));
  EXPECT_EQ(scenario->expectations()[2].limit, 1.25);
}

TEST(ReadScenarioTest, NamesEveryFaultAtOnceInTheOrderOfTheLines) {
  const auto scenario = Read(R"([scenario]
titles = A slip
length = 1h
[host]
total = 8GB
[guests web]
boot = 2GiB
workload = idle-havy
[event x]
guest = web
kind = pause
at = 2h
length = 1min
[expect]
guest_oom_kill <= 0
)");
  const std::string faults = MessageOf(scenario.status());
  EXPECT_EQ(std::count(faults.begin(), faults.end(), '\n') + 1, 6) << faults;
  const std::vector<std::string_view> wanted{
      "t.scenario:1: [scenario]: the key 'title' is missing; write title = ",
      "t.scenario:2: [scenario] titles = A slip: unknown key; did you mean 'title'?",
      "t.scenario:5: [host] total = 8GB: ",
      "t.scenario:8: [guests web] workload = idle-havy: unknown workload; did you mean 'idle-heavy'?",
      "t.scenario:12: [event x] at = 2h: is not before the end; write less than 1h",
      "t.scenario:15: [expect] guest_oom_kill <= 0: unknown measure; did you mean 'guest_oom_kills'?"};
  size_t at = 0;
  for (const auto& text : wanted) {
    at = faults.find(text, at);
    ASSERT_NE(at, std::string::npos) << text << "\n is not, or not in this order, in\n" << faults;
  }
}

struct Case {
  std::string_view name;
  std::string_view more;  // below the right scenario, which has 9 lines
  std::string_view fault;

  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
};

class OneFaultTest : public testing::TestWithParam<Case> {};

TEST_P(OneFaultTest, IsNamedWithItsLine) {
  const std::string faults = FaultsOf(GetParam().more);
  EXPECT_THAT(faults, HasSubstr(GetParam().fault));
  EXPECT_THAT(faults, StartsWith("scenarios/t.scenario:"));
  EXPECT_THAT(faults, Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    Faults, OneFaultTest,
    testing::Values(
        Case{"Section", "[hosts]\n", ":10: [hosts]: unknown section; did you mean 'host'?"},
        Case{"SameSection", "[host]\ntotal = 1GiB\n", ":10: [host]: duplicate; this section is already at "},
        Case{"SameKey", "boot = 2GiB\n", ":10: [guests web] boot = 2GiB: duplicate; already set at "},
        Case{"SameParameter", "used = 1%\nused = 2%\n", ":11: [guests web] used = 2%: duplicate"},
        Case{"SameWorkload", "workload = steady\n", ":10: [guests web] workload = steady: duplicate"},
        Case{"Key", "bot = 1GiB\n", ":10: [guests web] bot = 1GiB: unknown key; did you mean 'boot'?"},
        Case{"AnotherKindsKey", "notch = 1%\n", ":10: [guests web] notch = 1%: unknown key"},
        Case{"Value", "used = much\n", ":10: [guests web] used = much: 'much' is not a percentage"},
        Case{"Range", "[guests x]\nboot = 64MiB\nworkload = steady\n",
             ":11: [guests x] boot = 64MiB: '64MiB' is out of range; write 128MiB to 1TiB"},
        Case{"Backwards", "[guests x]\nboot = 1GiB\nworkload = burst\nhold = 9s..2s\n",
             ":13: [guests x] hold = 9s..2s: the range ends below its beginning; write 2s..9s"},
        Case{"NoBoot", "[guests x]\nworkload = steady\n",
             ":10: [guests x]: the key 'boot' is missing; write boot = 2GiB"},
        Case{"NoWorkload", "[guests x]\nboot = 1GiB\n", ":10: [guests x]: the key 'workload' is missing"},
        Case{"NoName", "[guests]\n", ":10: [guests]: '' is no name"},
        Case{"HostIsTaken", "[guests host]\nboot = 1GiB\nworkload = steady\n", "'host' is no name"},
        Case{"FloorAboveBaseline", "floor = 1GiB\nbaseline = 512MiB\n",
             ":10: [guests web] floor = 1GiB: is above baseline (512MiB); write floor <= baseline"},
        Case{"CeilingAboveBoot", "ceiling = 3GiB\n",
             ":10: [guests web] ceiling = 3GiB: is above boot (2GiB)"},
        Case{"StartsTooLate", "starts = 0..1h\n", ":10: [guests web] starts = 0..1h: is not before the end"},
        Case{"Mode", "mode = on\n", ":10: [guests web] mode = on: 'on' is not known; write one of off"},
        Case{"TooMany", "[guests x]\ncount = 10000\nboot = 1GiB\nworkload = steady\n",
             ":10: [guests x]: the guests together are more than 10000"},
        Case{"PolicyKey", "[policy]\n\nhost-reserv = 1%\n",
             ":12: [policy] host-reserv = 1%: unknown key; did you mean 'host-reserve'?"},
        Case{"PolicyRange", "[policy]\nmax-block = 1s\n", "first-block"},
        Case{"EventGuest", "[event e]\nguest = wep\nkind = reset\nat = 1s\n",
             ":11: [event e] guest = wep: there is no [guests wep]; did you mean 'web'?"},
        Case{"EventIndex", "[event e]\nguest = web-4\nkind = reset\nat = 1s\n",
             ":11: [event e] guest = web-4: there is no such guest; write web-1 to web-3"},
        Case{"EventKind", "[event e]\nguest = web\nkind = rest\nat = 1s\n",
             ":12: [event e] kind = rest: unknown here; did you mean 'reset'?"},
        Case{"EventNeedsLength", "[event e]\nguest = web\nkind = pause\nat = 1s\n",
             ":10: [event e]: the key 'length' is missing"},
        Case{"EventIsAnInstant", "[event e]\nguest = web\nkind = reset\nat = 1s\nlength = 1s\n",
             ":14: [event e] length = 1s: reset happens at an instant; leave it out"},
        Case{"EventNeedsValue", "[event e]\nguest = host\nkind = pressure\nat = 1s\nlength = 1s\n",
             ":10: [event e]: the key 'value' is missing"},
        Case{"EventHasNoValue", "[event e]\nguest = web\nkind = pause\nat = 1s\nlength = 1s\nvalue = 1MiB\n",
             ":15: [event e] value = 1MiB: pause has no value; leave it out"},
        Case{"EventOverlapsItself",
             "[event e]\nguest = web\nkind = pause\nat = 1s\nlength = 1min\nevery = 30s\n",
             ":15: [event e] every = 30s: begins again before it has ended; write more than 1min"},
        Case{"EventGrowsTooSlowly",
             "[event e]\nguest = host\nkind = pressure\nat = 1s\nlength = 1min\nvalue = 1GiB\nover = 1min\n",
             ":16: [event e] over = 1min: it ends before it has grown; write less than 1min"},
        Case{"SleepDoesNotGrow", "[event e]\nguest = host\nkind = sleep\nat = 1s\nlength = 1min\nover = 1s\n",
             ":15: [event e] over = 1s: sleep does not grow; leave it out"},
        Case{"EventDoesNotGrow", "[event e]\nguest = web\nkind = pause\nat = 1s\nlength = 1min\nover = 1s\n",
             ":15: [event e] over = 1s: pause does not grow; leave it out"},
        Case{"ExpectNoDirection", "[expect]\nreversals = 0\n",
             ":11: [expect] reversals = 0: has no direction; write reversals <= 0 or >="},
        Case{"ExpectNoNumber", "[expect]\nreversals <= few\n", "'few' is no number"},
        Case{"ExpectTwice", "[expect]\nreversals <= 1\nreversals <= 2\n",
             ":12: [expect] reversals <= 2: duplicate"},
        Case{"ExpectACountNoSize", "[expect]\nreversals <= 4GiB\n",
             ":11: [expect] reversals <= 4GiB: '4GiB' is no number"},
        Case{"SameNameWithMoreBlanks", "[guests  web]\nboot = 1GiB\nworkload = steady\n",
             ":10: [guests  web]: duplicate; this section is already at "},
        Case{"EventTooOften",
             "[guests x]\ncount = 9000\nboot = 1GiB\nworkload = steady\n"
             "[event e]\nguest = x\nkind = reset\nat = 1s\nevery = 1s\n",
             ":18: [event e] every = 1s: would happen more than 1110 times in this world"},
        Case{"NotALine", "what is this\n", ":10: 'what is this' is neither a [section] nor a setting"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ReadScenarioTest, MissingSectionsAreNamed) {
  const std::string faults = MessageOf(Read("").status());
  for (const std::string_view section : {"[scenario]", "[host]", "[guests NAME]"}) {
    EXPECT_THAT(faults, HasSubstr(StrCat("t.scenario:1: ", section, ": the section is missing")));
  }
}

TEST(ReadScenarioTest, OthersMustLeaveRoom) {
  EXPECT_THAT(MessageOf(Read(StrCat(kHead, "[host]\ntotal = 2GiB\nothers = 3GiB\n", kGuests)).status()),
              HasSubstr(":6: [host] others = 3GiB: fills the host; write less than total"));
  EXPECT_THAT(MessageOf(Read(StrCat(kHead, "[host]\ntotal = 1GiB\n", kGuests)).status()),
              HasSubstr(":4: [host]: others (default 2GiB) fills the host"));
}

TEST(ReadScenarioTest, PressureMayGrowInSteps) {
  const auto scenario = Read(StrCat(kHead, kHost, kGuests,
                                    "[event e]\nguest = host\nkind = pressure\nat = 1min\nlength = 5min\n"
                                    "value = 2GiB\nover = 2min\n"));
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const std::vector<HostEvent> events = scenario->Plan(1).host.events;
  ASSERT_EQ(events.size(), 20u);
  int64_t sum = 0;
  for (const HostEvent& event : events) {
    EXPECT_EQ(event.at + event.length, Seconds(6 * 60));
    sum += event.value;
  }
  EXPECT_EQ(sum, 2 * kGiB);
  EXPECT_EQ(events.front().at, Seconds(60));
  EXPECT_EQ(events.back().at, Seconds(60 + 114));
}

TEST(ReadScenarioTest, EventsMayStandAboveTheirGuests) {
  const auto scenario =
      Read(StrCat("[event e]\nguest = web-2\nkind = reset\nat = 1s\n", kHead, kHost, kGuests));
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const WorldPlan plan = scenario->Plan(1);
  EXPECT_TRUE(plan.guests[0].events.empty());
  EXPECT_EQ(plan.guests[1].events.size(), 1u);
}

TEST(ScenarioReader, AnEventThatWouldFillTheMemoryIsRefused) {
  const auto scenario = ReadScenario("often.scenario",
                                     "[scenario]\ntitle = often\nlength = 9600h\n[host]\ntotal = 8GiB\n"
                                     "[guests web]\nboot = 1GiB\nworkload = steady\nused = 10%\n"
                                     "[event e]\nguest = web\nkind = reset\nat = 1s\nevery = 1s\n");
  EXPECT_THAT(std::string(scenario.status().message()),
              HasSubstr("often.scenario:14: [event e] every = 1s: would happen more than 1000000 times"));
}

}  // namespace
}  // namespace ballast::sim
