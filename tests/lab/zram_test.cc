// Swap on zram in a real guest: what the agent tells while it fills is held against what the device says at
// the same time, and a bridge gives memory before it is full.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/agent_watch.h"
#include "tests/lab/bridge_process.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

using testing::HasSubstr;

constexpr int64_t kZramMib = 128;
constexpr int64_t kDisksize = kZramMib * kMiB;
constexpr int64_t kPage = 4096;
// A look of the agent may be this much older than its report says, and reads the device this much later: it
// looks at zram every 100 ms, and a guest that swaps takes its time.
constexpr int64_t kBeforeMs = 150;
constexpr int64_t kAfterMs = 100;
// What comes and goes between two looks of the witness.
constexpr int64_t kSlackBytes = 256 * kKiB;

// One look of `lab-guest zram`.
struct Look {
  int64_t t_ms = 0;  // on the guest's clock
  int64_t original = 0;
  int64_t compressed = 0;
  int64_t used = 0;
  int64_t limit = 0;
  int64_t same_pages = 0;
  int64_t swapped_kib = 0;
  int64_t available_kib = 0;
  int64_t balloon_kib = 0;
  int64_t kills = 0;

  [[nodiscard]] double Fill() const {
    const double by_memory = limit == 0 ? 0 : static_cast<double>(used) / static_cast<double>(limit);
    return std::max(static_cast<double>(original) / kDisksize, by_memory);
  }
  // What a byte of its memory holds.
  [[nodiscard]] double Ratio() const {
    return static_cast<double>(original - same_pages * kPage) /
           static_cast<double>(std::max<int64_t>(used, 1));
  }
};

std::vector<Look> ParseLooks(const std::string& text) {
  std::vector<Look> looks;
  std::istringstream lines(text);
  for (Look l; lines >> l.t_ms >> l.original >> l.compressed >> l.used >> l.limit >> l.same_pages >>
               l.swapped_kib >> l.available_kib >> l.balloon_kib >> l.kills;) {
    looks.push_back(l);
  }
  return looks;
}

// The first that is `enough`.
template <typename Enough>
std::optional<Look> FirstThat(const std::vector<Look>& looks, Enough enough) {
  const auto found = std::find_if(looks.begin(), looks.end(), enough);
  return found == looks.end() ? std::nullopt : std::make_optional(*found);
}

// A line a second, for people.
std::string SeriesOf(const std::vector<Look>& looks) {
  std::string text = "   s   fill  ratio  available  balloon\n";
  int64_t next_ms = 0;
  for (const Look& look : looks) {
    const int64_t t_ms = look.t_ms - looks.front().t_ms;
    if (t_ms < next_ms) continue;
    next_ms = t_ms + 1'000;
    absl::StrAppendFormat(&text, "%4.0f %5.1f%% %6.2f %6d MiB %4d MiB\n", static_cast<double>(t_ms) / 1'000,
                          look.Fill() * 100, look.Ratio(), look.available_kib / 1'024,
                          look.balloon_kib / 1'024);
  }
  return text;
}

class ZramTest : public LabTest {
 protected:
  // Looks at the device for so long; see Looks.
  void Witness(absl::Duration length) {
    auto witness = guest_->ExecAsync(
        StrCat("lab-guest zram --period-ms 20 --length-ms ", absl::ToInt64Milliseconds(length)));
    ASSERT_TRUE(witness.ok()) << witness.status();
    witness_.emplace(*std::move(witness));
  }

  // What the witness saw, once its time is over.
  std::vector<Look> Looks() {
    const auto seen = witness_->Wait(absl::Seconds(60));
    EXPECT_TRUE(seen.ok() && seen->status == 0) << seen.status();
    std::vector<Look> looks = ParseLooks(seen.ok() ? seen->output : "");
    EXPECT_GT(looks.size(), 100U);
    return looks;
  }

  void Run(const std::string& command) {
    const auto result = guest_->Exec(command);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->status, 0) << command << ": " << result->output;
  }

  Guest* guest_ = nullptr;
  std::optional<GuestCommand> witness_;
};

// The looks around the moment a report tells of.
std::vector<Look> Around(const guest::v1::Report& report, const std::vector<Look>& looks) {
  const int64_t at_ms = report.monotonic_ns() / 1'000'000;
  const auto later = [](const Look& look, int64_t t_ms) { return look.t_ms <= t_ms; };
  auto first = std::lower_bound(looks.begin(), looks.end(), at_ms - kBeforeMs, later);
  auto last = std::lower_bound(looks.begin(), looks.end(), at_ms + kAfterMs, later);
  // With the one before and the one after, so that every moment between lies between two.
  if (first == looks.begin() || last == looks.end()) return {};
  return {first - 1, last + 1};
}

template <typename Figure>
void ExpectWithin(const std::vector<Look>& looks, Figure figure, double told, double slack,
                  const char* what) {
  const auto [least, most] = std::minmax_element(
      looks.begin(), looks.end(), [&](const Look& a, const Look& b) { return figure(a) < figure(b); });
  EXPECT_GE(told, figure(*least) - slack) << what;
  EXPECT_LE(told, figure(*most) + slack) << what;
}

void ExpectDevices(const guest::v1::Report& report, const std::vector<Look>& around) {
  ASSERT_EQ(report.zram_size(), 1);
  const auto& zram = report.zram(0);
  EXPECT_EQ(zram.disksize_bytes(), kDisksize);
  EXPECT_EQ(zram.memory_limit_bytes(), around.front().limit);
  const auto of = [&](int64_t Look::*member) {
    return [member](const Look& look) { return static_cast<double>(look.*member); };
  };
  ExpectWithin(around, of(&Look::original), static_cast<double>(zram.original_bytes()), kSlackBytes,
               "original");
  ExpectWithin(around, of(&Look::compressed), static_cast<double>(zram.compressed_bytes()), kSlackBytes,
               "compressed");
  ExpectWithin(around, of(&Look::used), static_cast<double>(zram.memory_used_bytes()), kSlackBytes, "used");
  ExpectWithin(around, of(&Look::swapped_kib), static_cast<double>(report.swap().zram_used_bytes() / kKiB),
               kSlackBytes / kKiB, "swapped");
  ExpectWithin(
      around, [](const Look& look) { return look.Fill() * 10'000; }, zram.fill_permyriad(),
      10'000.0 * kSlackBytes / kDisksize + 1, "fill");
  if (around.front().used < 4 * kMiB) return;  // of less the slack is too much
  ASSERT_TRUE(zram.has_ratio_permille());
  ExpectWithin(
      around, [](const Look& look) { return look.Ratio() * 1'000; }, zram.ratio_permille(), 20, "ratio");
}

// Bytes a millisecond went into the device from one look to another.
double Pace(const Look& from, const Look& to) {
  return static_cast<double>(to.original - from.original) /
         static_cast<double>(std::max<int64_t>(to.t_ms - from.t_ms, 1));
}

// What was announced while the device filled steadily, against when it was full. Steadily: within a quarter
// as fast in the two seconds that the agent looks back as from then on; on a machine with other work it does
// not always. The last two seconds are left out, since the kernel swaps in batches of up to a second.
void ExpectTimesToFull(const std::vector<AgentWatch::SeenReport>& reports, const std::vector<Look>& looks) {
  const auto full = FirstThat(looks, [](const Look& look) { return look.Fill() >= 0.99; });
  ASSERT_TRUE(full.has_value());
  std::vector<double> told_per_real;
  for (const auto& seen : reports) {
    const auto& zram = seen.report.zram(0);
    const int64_t t_ms = seen.report.monotonic_ns() / 1'000'000;
    const auto from = FirstThat(looks, [&](const Look& look) { return look.t_ms >= t_ms - 2'000; });
    const auto now = FirstThat(looks, [&](const Look& look) { return look.t_ms >= t_ms; });
    if (t_ms < looks.front().t_ms + 2'000 || !now || full->t_ms - t_ms < 2'000) continue;
    const double pace = Pace(*from, *now) / Pace(*now, *full);
    if (pace < 0.8 || pace > 1.25) continue;
    ASSERT_TRUE(zram.has_time_to_full_ms()) << full->t_ms - t_ms << " ms before it was full";
    told_per_real.push_back(static_cast<double>(zram.time_to_full_ms()) /
                            static_cast<double>(full->t_ms - t_ms));
  }
  ASSERT_GT(told_per_real.size(), 20U);
  std::sort(told_per_real.begin(), told_per_real.end());
  std::printf("%s",
              absl::StrFormat("time to full of %d reports, announced / real: %.2f to %.2f, median %.2f\n",
                              told_per_real.size(), told_per_real.front(), told_per_real.back(),
                              told_per_real[told_per_real.size() / 2])
                  .c_str());
  EXPECT_GE(told_per_real.front(), 0.5);
  EXPECT_LE(told_per_real.back(), 2);
  EXPECT_NEAR(told_per_real[told_per_real.size() / 2], 1, 0.25);
}

TEST_F(ZramTest, FollowsTheDevice) {
  guest_ = Boot({.name = "fills", .memory_mib = 256, .free_page_reporting = false, .zram_mib = kZramMib});
  ASSERT_NE(guest_, nullptr);
  ASSERT_NO_FATAL_FAILURE(Run("echo 96M > /sys/block/zram0/mem_limit"));
  guest::v1::WatchRequest request;
  request.mutable_cadence()->set_armed_ms(100);
  auto watch = AgentWatch::Connect(guest_->PortAddress(kAgentPort), request);
  ASSERT_TRUE(watch.ok()) << watch.status();
  ASSERT_NO_FATAL_FAILURE(Witness(absl::Seconds(24)));
  // Until there is no more: then the kernel kills it.
  const auto hog = guest_->Exec("lab-guest hog --mib 500 --quick-mib 170 --rate-mib-s 6 --random-percent 25",
                                absl::Seconds(60));
  ASSERT_TRUE(hog.ok()) << hog.status();
  EXPECT_EQ(hog->status, 128 + SIGKILL);
  const std::vector<Look> looks = Looks();
  ASSERT_FALSE(looks.empty());
  std::printf("%s", SeriesOf(looks).c_str());
  const auto reports = (*watch)->Reports();
  int compared = 0;
  for (const auto& seen : reports) {
    const auto around = Around(seen.report, looks);
    if (around.empty()) continue;
    ASSERT_NO_FATAL_FAILURE(ExpectDevices(seen.report, around));
    ASSERT_FALSE(HasNonfatalFailure()) << seen.report.DebugString();
    ++compared;
  }
  std::printf("%d reports compared\n", compared);
  EXPECT_GT(compared, 100);
  ExpectTimesToFull(reports, looks);
}

TEST_F(ZramTest, TheBridgeGivesBeforeItIsFull) {
  guest_ = Boot({.name = "given", .memory_mib = 640, .zram_mib = kZramMib, .disk_mib = 200});
  ASSERT_NE(guest_, nullptr);
  ASSERT_EQ(guest_->SetBalloon(400 * kMiB), absl::OkStatus());
  // Page cache that the kernel would rather swap for than drop: it counts as available all the while zram
  // fills.
  ASSERT_NO_FATAL_FAILURE(Run("echo 200 > /proc/sys/vm/swappiness"));
  auto cache = guest_->ExecAsync("lab-guest cache --mib 160 --cycles 2 --hold-ms 90000 > /run/cache");
  ASSERT_TRUE(cache.ok()) << cache.status();
  ASSERT_NO_FATAL_FAILURE(Run("until [ $(grep -c read /run/cache) = 2 ]; do usleep 50000; done"));
  BridgeOptions options;
  options.directory = guest_->directory();
  // A guest that swaps stalls as well, and would be given for that.
  options.bridge_lines = "[policy]\npressed-stall = 100%\n";
  auto bridge = BridgeProcess::Start({guest_}, options);
  ASSERT_TRUE(bridge.ok()) << bridge.status();
  ASSERT_EQ(bridge->WaitUntilConnected(absl::Seconds(20)), absl::OkStatus());
  ASSERT_NO_FATAL_FAILURE(Witness(absl::Seconds(28)));
  const auto hog = guest_->Exec("lab-guest hog --mib 255 --quick-mib 105 --rate-mib-s 6 --random-percent 25",
                                absl::Seconds(60));
  const std::vector<Look> looks = Looks();
  ASSERT_FALSE(looks.empty());
  std::printf("%s%s", SeriesOf(looks).c_str(), bridge->Log().c_str());
  ASSERT_TRUE(hog.ok()) << hog.status();
  EXPECT_EQ(hog->status, 0) << "the work ends: " << hog->output;
  EXPECT_EQ(looks.back().kills, 0);
  const auto given = FirstThat(
      looks, [&](const Look& look) { return look.balloon_kib <= looks[0].balloon_kib - 32 * 1'024; });
  ASSERT_TRUE(given.has_value()) << "next to nothing was given";
  EXPECT_THAT(bridge->Log(), HasSubstr(", its zram takes ")) << "for another reason";
  // What shall stay empty by the rules is a tenth.
  EXPECT_LT(given->Fill(), 0.9);
  const auto fullest = std::max_element(looks.begin(), looks.end(),
                                        [](const Look& a, const Look& b) { return a.Fill() < b.Fill(); });
  EXPECT_GT(fullest->Fill(), 0.2) << "the run did not fill it";
  EXPECT_LT(fullest->Fill(), 0.9);
  const auto actual = guest_->BalloonActual();
  ASSERT_TRUE(actual.ok()) << actual.status();
  EXPECT_GT(*actual, 400 * kMiB);
}

}  // namespace
}  // namespace ballast::lab
