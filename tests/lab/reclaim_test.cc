// Memory that a real guest does not use comes back to the host, and goes to the guest again when it needs it.
#include <gmock/gmock.h>

#include <functional>
#include <optional>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "common/kernel/process_memory_parser.h"
#include "common/os/file_reader.h"
#include "tests/lab/bridge_process.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

using testing::HasSubstr;

// The idle rule's minutes, in seconds.
constexpr char kHasty[] =
    "report-quiet = 1s\n[policy]\nidle-after = 2s\nidle-interval = 2s\ninflate-cooldown = "
    "1s\nworking-set-window = 2s\n"
    "leave-dwell = 1s\n";

class ReclaimTest : public LabTest {
 protected:
  // What the host gives for the guest's memory; the lab's guests have theirs in a memfd.
  static int64_t Behind(const Guest& guest) {
    const auto text = FileReader().Read(StrCat("/proc/", guest.pid(), "/status"));
    const auto memory = text.ok() ? kernel::ParseProcessMemory(*text) : text.status();
    EXPECT_TRUE(memory.ok()) << memory.status();
    return memory.ok() ? memory->shared_bytes : 0;
  }

  // The balloon, as soon as it holds at least `bytes`, or what it holds after `timeout`.
  static int64_t WaitForBalloon(Guest& guest, int64_t bytes, absl::Duration timeout) {
    const absl::Time until = absl::Now() + timeout;
    while (true) {
      const auto actual = guest.BalloonActual();
      const int64_t balloon = actual.ok() ? guest.options().memory_mib * kMiB - *actual : 0;
      if (balloon >= bytes || absl::Now() > until) return balloon;
      absl::SleepFor(absl::Milliseconds(100));
    }
  }
};

TEST_F(ReclaimTest, AnIdleGuestGivesStepByStepAndGetsBackWhatItNeeds) {
  // Without free page reporting, which would give the same memory back by itself some seconds later.
  Guest* guest = Boot({.name = "idle", .free_page_reporting = false});
  ASSERT_NE(guest, nullptr);
  // Touched and freed: resident on the host, of no use to the guest.
  const auto touched = guest->Exec("lab-guest hog --mib 300 --hold-ms 100", absl::Seconds(60));
  ASSERT_TRUE(touched.ok() && touched->status == 0);
  const int64_t before = Behind(*guest);
  BridgeOptions options;
  options.directory = guest->directory();
  options.bridge_lines = kHasty;
  auto bridge = BridgeProcess::Start({guest}, options);
  ASSERT_TRUE(bridge.ok()) << bridge.status();
  ASSERT_EQ(bridge->WaitUntilConnected(absl::Seconds(20)), absl::OkStatus());
  const int64_t balloon = WaitForBalloon(*guest, 192 * kMiB, absl::Seconds(60));
  EXPECT_GE(balloon, 192 * kMiB) << bridge->Log();
  EXPECT_THAT(bridge->Log(), HasSubstr("because the guest has not used it lately"));
  EXPECT_LE(Behind(*guest), before - balloon / 2) << "what was taken is the host's again";
  EXPECT_THAT(bridge->Log(), Not(HasSubstr("the host did not get back"))) << "this balloon does its work";
  const auto hog = guest->Exec("lab-guest hog --mib 380 --hold-ms 200", absl::Seconds(60));
  ASSERT_TRUE(hog.ok()) << hog.status();
  EXPECT_EQ(hog->status, 0) << bridge->Log();
}

TEST_F(ReclaimTest, AnOperatorsHoldIsKept) {
  Guest* guest = Boot({.name = "held"});
  ASSERT_NE(guest, nullptr);
  BridgeOptions options;
  options.directory = guest->directory();
  options.bridge_lines = "reclaim-hold = 128MiB\n[policy]\nidle-after = 1h\n";
  auto bridge = BridgeProcess::Start({guest}, options);
  ASSERT_TRUE(bridge.ok()) << bridge.status();
  ASSERT_EQ(bridge->WaitUntilConnected(absl::Seconds(20)), absl::OkStatus());
  EXPECT_GE(WaitForBalloon(*guest, 128 * kMiB, absl::Seconds(60)), 128 * kMiB) << bridge->Log();
  EXPECT_THAT(bridge->Log(), HasSubstr("[rule 6]"));
  EXPECT_THAT(bridge->Log(), Not(HasSubstr("[rule 8]")));
  const auto actual = guest->BalloonActual();
  ASSERT_TRUE(actual.ok());
  EXPECT_LE(guest->options().memory_mib * kMiB - *actual, 136 * kMiB) << "no more than was asked for";
}

}  // namespace
}  // namespace ballast::lab
