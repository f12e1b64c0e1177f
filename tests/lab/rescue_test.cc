// The main job on real guests: bursts up to what the guest was given, balloon at three quarters of it.
#include <cstdio>

#include "tests/lab/bursts.h"
#include "tests/lab/lab_fixture.h"

namespace ballast::lab {
namespace {

class RescueTest : public LabTest {
 protected:
  std::vector<BurstResult> Burst(bool managed, bool deflate_on_oom) {
    GuestOptions options;
    options.name = managed ? "managed" : "alone";
    options.deflate_on_oom = deflate_on_oom;
    options.agent = managed;
    Guest* guest = Boot(options);
    if (guest == nullptr) return {};
    BurstPlan plan;
    plan.managed = managed;
    auto results = RunBursts(*guest, plan);
    if (!results.ok()) {
      ADD_FAILURE() << results.status();
      return {};
    }
    const std::string title = std::string(managed ? "with Ballast" : "without Ballast") +
                              (deflate_on_oom ? ", deflate-on-oom on" : ", deflate-on-oom off");
    std::printf("%s", TableOf(title, *results).c_str());
    return *results;
  }
};

TEST_F(RescueTest, WithoutDeflateOnOomNoBurstKillsAManagedGuest) {
  const auto alone = Burst(/*managed=*/false, /*deflate_on_oom=*/false);
  const auto managed = Burst(/*managed=*/true, /*deflate_on_oom=*/false);
  EXPECT_GT(TotalKills(alone), 0) << "the bursts must be ones that kill";
  EXPECT_EQ(TotalKills(managed), 0);
  EXPECT_EQ(TotalDone(managed), 20);
}

TEST_F(RescueTest, WithDeflateOnOomNoBurstKillsAManagedGuest) {
  const auto managed = Burst(/*managed=*/true, /*deflate_on_oom=*/true);
  EXPECT_EQ(TotalKills(managed), 0);
  EXPECT_EQ(TotalDone(managed), 20);
}

}  // namespace
}  // namespace ballast::lab
