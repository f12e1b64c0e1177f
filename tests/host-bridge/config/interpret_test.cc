#include "host-bridge/config/interpret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace ballast::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

Loaded Read(std::string_view text) { return Interpret({{"b.conf", std::string(text)}}); }

// A guest that is right, with `more` below it.
std::string Guest(std::string_view name, std::string_view more = "") {
  return StrCat("[guest ", name, "]\ncontrol = /run/", name, ".qmp\nagent = unix:/run/", name, ".vsock:842\n",
                more);
}

std::string PathOf(size_t bytes) { return "/" + std::string(bytes - 1, 'x'); }

TEST(Interpret, AnEmptyFileIsTheDefaults) {
  const Loaded loaded = Read("# nothing but a comment\n\n");
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.config.tick, Seconds(1));
  EXPECT_EQ(loaded.config.vmm_deadline, Seconds(2));
  EXPECT_EQ(loaded.config.reports, ReportCadence{});
  EXPECT_THAT(loaded.config.guests, IsEmpty());
  EXPECT_FALSE(loaded.config.dry_run);
}

TEST(Interpret, ReadsTheBridgeAndThePolicy) {
  const Loaded loaded = Read(R"(
[bridge]
log-level = debug   # a comment behind a value
tick=500ms
vmm-deadline = 5s
report-quiet = 8s
report-armed = 2s
report-pressed = 50ms
host-root = /host
[policy]
host-reserve = 12.5%
max-step = 512MiB
lease = 1min
stall-rate = 20MiB/s
)");
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.config.log_level, LogLevel::kDebug);
  EXPECT_EQ(loaded.config.tick, Milliseconds(500));
  EXPECT_EQ(loaded.config.vmm_deadline, Seconds(5));
  EXPECT_EQ(loaded.config.reports, (ReportCadence{Seconds(8), Seconds(2), Milliseconds(50)}));
  EXPECT_EQ(loaded.config.host_root, "/host");
  EXPECT_EQ(loaded.config.policy.host_reserve_permyriad, 1250);
  EXPECT_EQ(loaded.config.policy.max_step_bytes, 512 * kMiB);
  EXPECT_EQ(loaded.config.policy.lease, Seconds(60));
  EXPECT_EQ(loaded.config.policy.stall_bytes_per_second, 20 * kMiB);
}

TEST(Interpret, ReadsAGuestWithEveryKey) {
  const Loaded loaded = Read(R"(
[guest web.shop_1-a]
vmm = qemu
control = /run/vm/web 1.qmp
agent = vsock:42:842
link = listen
floor = 512MiB
baseline = 2GiB
ceiling = 4GiB
weight = 200
mode = guard
)");
  EXPECT_THAT(loaded.faults, IsEmpty());
  GuestEntry expected;
  expected.limits = {.name = "web.shop_1-a",
                     .floor_bytes = 512 * kMiB,
                     .baseline_bytes = 2 * kGiB,
                     .ceiling_bytes = 4 * kGiB,
                     .weight = 200,
                     .mode = policy::Mode::kGuard};
  expected.control = "/run/vm/web 1.qmp";
  expected.agent = VsockAddress{42, 842};
  expected.link = Link::kListen;
  EXPECT_THAT(loaded.config.guests, ElementsAre(expected));
}

TEST(Interpret, AGuestNeedsOnlyItsTwoSockets) {
  const Loaded loaded = Read(Guest("a"));
  EXPECT_THAT(loaded.faults, IsEmpty());
  ASSERT_THAT(loaded.config.guests, SizeIs(1));
  const GuestEntry& guest = loaded.config.guests[0];
  policy::GuestLimits untouched;
  untouched.name = "a";
  EXPECT_EQ(guest.limits, untouched);
  EXPECT_EQ(guest.link, Link::kDial);
  EXPECT_EQ(guest.vmm, VmmKind::kQemu);
}

TEST(Interpret, ReportsEveryFaultAtOnceWithItsPlace) {
  const Loaded loaded = Read(R"([bridge]
tick = soon
thick = 1s
[guest a]
floor = 128MB
weight = 0
)");
  EXPECT_THAT(
      loaded.faults,
      ElementsAre(AllOf(StartsWith("b.conf:2: [bridge] tick = soon: "), HasSubstr("'100ms' or '2s'")),
                  AllOf(StartsWith("b.conf:3: [bridge] thick = 1s: "), HasSubstr("did you mean 'tick'?")),
                  AllOf(StartsWith("b.conf:5: [guest a] floor = 128MB: "), HasSubstr("write '128MiB'")),
                  AllOf(StartsWith("b.conf:6: [guest a] weight = 0: "), HasSubstr("from 1 to 10000")),
                  AllOf(StartsWith("b.conf:4: [guest a]: "), HasSubstr("'control' is missing")),
                  AllOf(StartsWith("b.conf:4: [guest a]: "), HasSubstr("'agent' is missing"))));
}

TEST(Interpret, OnlyAPortOfTheGuestMustBeRootsAlone) {
  EXPECT_THAT(Read("[guest a]\ncontrol = /a\nagent = vsock:5:1023\n").faults, IsEmpty());
  EXPECT_THAT(Read("[guest a]\ncontrol = /a\nagent = unix:/a.vsock:1023\n").faults, IsEmpty());
  EXPECT_THAT(Read("[guest a]\ncontrol = /a\nagent = vsock:5:5000\nlink = listen\n").faults, IsEmpty());
}

TEST(Interpret, ASectionWithoutKeysIsNotForgotten) {
  EXPECT_THAT(Read("[guest a]\n").faults, SizeIs(2));  // control and agent
}

// One wrong text each, and the words its one fault must hold.
struct Case {
  const char* what;
  std::string text;
  const char* fault;

  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.what; }
};

class OneFault : public ::testing::TestWithParam<Case> {};

TEST_P(OneFault, IsReported) {
  EXPECT_THAT(Read(GetParam().text).faults, ElementsAre(HasSubstr(GetParam().fault)));
}

const std::string kTwoMachines = "[guest a]\ncontrol = /a\nagent = vsock:5:842\n[guest b]\ncontrol = /b\n";

INSTANTIATE_TEST_SUITE_P(
    Interpret, OneFault,
    ::testing::Values(
        Case{"UnknownSection", "[brigde]\n", "[brigde]: unknown section; did you mean 'bridge'?"},
        Case{"UnknownGuestSection", "[gest a]\n", "did you mean 'guest'?"},
        Case{"FarSection", "[something]\n", "known are bridge, policy, guest NAME"},
        Case{"BadName", "[guest a/b]\n", "'a/b' is no name for a guest"},
        Case{"NoName", "[guest]\n", "'' is no name for a guest"},
        Case{"LongName", Guest(std::string(65, 'n')), "is no name for a guest"},
        Case{"DuplicateGuest", Guest("a") + Guest("a"), "already described at b.conf:1"},
        Case{"DuplicateKey", "[bridge]\ntick = 1s\ntick = 2s\n", "already set at b.conf:2"},
        Case{"DuplicateOverSections", "[bridge]\ntick = 1s\n[policy]\n[bridge]\ntick = 2s\n",
             "already set at b.conf:2"},
        Case{"NoSetting", "[bridge]\ntick 1s\n", "b.conf:2: 'tick 1s' is neither a [section] nor a setting"},
        Case{"Orphan", "tick = 1s\n", "stands before the first section"},
        Case{"UnknownGuestKey", Guest("a", "celing = 1GiB\n"), "did you mean 'ceiling'?"},
        Case{"DottedKey", Guest("a", "b.mode = off\n"), "[guest a] b.mode = off: unknown key"},
        Case{"Mode", Guest("a", "mode = on\n"), "write one of off, observe, guard, full"},
        Case{"Vmm", Guest("a", "vmm = xen\n"), "write one of qemu"},
        Case{"Link", Guest("a", "link = both\n"), "write one of dial, listen"},
        Case{"LogLevel", "[bridge]\nlog-level = loud\n", "write one of debug, info, warning, error"},
        Case{"WeightTooLarge", Guest("a", "weight = 10001\n"), "from 1 to 10000"},
        Case{"FloorAboveBaseline", Guest("a", "floor = 2GiB\nbaseline = 1GiB\n"),
             "floor = 2GiB: is above the baseline (1GiB)"},
        Case{"BaselineAboveCeiling", Guest("a", "baseline = 2GiB\nceiling = 1GiB\n"),
             "is above the ceiling (1GiB)"},
        Case{"FloorAboveCeiling", Guest("a", "floor = 2GiB\nceiling = 1GiB\n"),
             "is above the ceiling (1GiB)"},
        Case{"TickTooFast", "[bridge]\ntick = 10ms\n", "write a duration from 100ms to 10s"},
        Case{"CadenceTooFast", "[bridge]\nreport-pressed = 10ms\n", "write a duration from 20ms to 1s"},
        Case{"CadenceTooFine", "[bridge]\nreport-pressed = 20500us\n", "write whole milliseconds"},
        Case{"CadenceUpsideDown", "[bridge]\nreport-quiet = 1s\nreport-armed = 2s\n",
             "report-pressed <= report-armed <= report-quiet (now 100ms, 2s, 1s)"},
        Case{"RelativeRoot", "[bridge]\nhost-root = host\n", "not an absolute path"},
        Case{"RelativeControl", "[guest a]\nagent = vsock:5:842\ncontrol = a.qmp\n", "not an absolute path"},
        Case{"LongControl", "[guest a]\nagent = vsock:5:842\ncontrol = " + PathOf(108) + "\n",
             "has 108 bytes"},
        Case{"BadAgent", "[guest a]\ncontrol = /a\nagent = tcp:1:2\n", "write vsock:CID:PORT"},
        Case{"HostAsAgent", "[guest a]\ncontrol = /a\nagent = vsock:2:842\n", "CID 2 is the host itself"},
        Case{"AnybodysPort", "[guest a]\ncontrol = /a\nagent = vsock:5:1024\n",
             "b.conf:3: [guest a] agent = vsock:5:1024: any user of the guest can take port 1024 and answer "
             "in the "
             "agent's place; write a port from 1 to 1023"},
        Case{"AnybodysPortBehindASocket", "[guest a]\ncontrol = /a\nagent = unix:/a.vsock:5000\n",
             "any user of the guest can take port 5000"},
        Case{"ListenWithoutPort", "[guest a]\ncontrol = /a\nagent = unix:/a.sock\nlink = listen\n",
             "link = listen needs the port"},
        Case{"ListenPathTooLong",
             "[guest a]\ncontrol = /a\nlink = listen\nagent = unix:" + PathOf(105) + ":842\n",
             "PATH_PORT has more than"},
        Case{"SameControl",
             "[guest a]\ncontrol = /a\nagent = vsock:5:842\n[guest b]\ncontrol = /a\nagent = vsock:6:842\n",
             "[guest b] control = /a: this socket already belongs to [guest a]"},
        Case{"SameAgent", kTwoMachines + "agent = vsock:5:842\n", "CID 5 already belongs to [guest a]"},
        Case{"SameMachineOtherPort", kTwoMachines + "agent = vsock:5:843\n",
             "CID 5 already belongs to [guest a]"},
        Case{"PolicySize", "[policy]\nmax-step = 1GB\n", "write '1GiB'"},
        Case{"PolicyShare", "[policy]\ncritical = 1000\n", "write for example '10%'"},
        Case{"PolicyRate", "[policy]\nstall-rate = 1MiB\n", "write for example '15MiB/s'"},
        Case{"PolicyRange", "[policy]\nvmm-max-age = 0\n",
             "b.conf:2: [policy] vmm-max-age = 0: 0ms is out of range"},
        Case{"PolicyOrder", "[policy]\ncritical-max = 2GiB\n",
             "b.conf:2: [policy] critical-max = 2GiB: must not be above pressed-max (512MiB)"},
        Case{"PolicyOrderOfADefault", "[policy]\npressed = 2%\n",
             "[policy] critical = 3% (default): must not be above pressed (2%, b.conf:2)"}),
    [](const auto& test) { return test.param.what; });

TEST(Interpret, TheLongestPathThatFitsIsTaken) {
  EXPECT_THAT(Read("[guest a]\nagent = vsock:5:842\ncontrol = " + PathOf(107) + "\n").faults, IsEmpty());
}

TEST(Interpret, SeveralFilesCountAsOne) {
  const Loaded loaded = Interpret({{"b.conf", "[bridge]\ntick = 2s\n"},
                                   {"a.conf", Guest("a")},
                                   {"z.conf", Guest("a") + "[bridge]\ntick = 3s\n"}});
  EXPECT_THAT(loaded.faults,
              ElementsAre(HasSubstr("z.conf:1: [guest a]: duplicate; this guest is already described at "
                                    "a.conf:1"),
                          HasSubstr("z.conf:5: [bridge] tick = 3s: duplicate; already set at b.conf:2")));
}

TEST(Interpret, HostileBytesGiveFaultsAndNoCrash) {
  const std::vector<std::string> texts = {"[\n]\n[]\n[[]]\n=\n=x\n", std::string(100'000, '['),
                                          std::string("[bridge]\ntick = \0\xff\n", 18), "[bridge]\n=1s\n"};
  for (const std::string& text : texts) {
    EXPECT_FALSE(Read(text).faults.empty()) << text.substr(0, 20);
  }
}

TEST(Interpret, RefusesAQuietReportThatComesAfterAStepOfRule8WasJudged) {
  const Loaded loaded = Read("[policy]\nidle-interval = 10s\n");
  ASSERT_THAT(loaded.faults, SizeIs(1));
  EXPECT_THAT(loaded.faults[0], HasSubstr("write less than idle-interval in [policy] (now 10s)"));
}

TEST(Interpret, RefusesAPathThatWouldNameAnotherFile) {
  const Loaded loaded = Read(std::string("[bridge]\njournal = /tmp/a\0b\n", 27));
  ASSERT_THAT(loaded.faults, SizeIs(1));
  EXPECT_THAT(loaded.faults[0], HasSubstr("holds a control character"));
}

TEST(Interpret, RefusesAQuietReportThatComesAfterItsGuestCountsAsSilent) {
  const Loaded loaded = Read("[bridge]\nreport-quiet = 20s\n");
  ASSERT_THAT(loaded.faults, SizeIs(1));
  EXPECT_THAT(loaded.faults[0], HasSubstr("write less than report-max-age"));
}

TEST(Interpret, RefusesTwoListenersOnOneVsockPort) {
  const auto guest = [](const char* name, const char* cid) {
    return StrCat("[guest ", name, "]\ncontrol = /run/", name, ".qmp\nagent = vsock:", cid,
                  ":1001\nlink = listen\n");
  };
  const Loaded loaded = Read(guest("a", "42") + guest("b", "43"));
  ASSERT_THAT(loaded.faults, SizeIs(1));
  EXPECT_THAT(loaded.faults[0], HasSubstr("with link = listen, port 1001 already belongs to [guest a]"));
}

}  // namespace
}  // namespace ballast::config
