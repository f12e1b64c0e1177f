// Every rival bears whatever a guest or a host shows, and never commands a size outside 0..boot.
#include <gtest/gtest.h>

#include <limits>

#include "host-bridge/lab/rivals/rivals.h"
#include "tests/host-bridge/lab/rivals/sights.h"

namespace ballast::sim {

static void PrintTo(const ControllerKind& kind, std::ostream* out) { *out << kind.name; }

namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kValues[] = {-1, 0, 1, kMiB, 4 * kGiB, kMost, std::numeric_limits<int64_t>::min()};

class Quiet final : public Workload {
 public:
  Segment Next() override { return {.length = Seconds(60), .anon_bytes = 100 * kMiB}; }
};

class HostileSight : public testing::TestWithParam<ControllerKind> {
 protected:
  HostileSight() {
    for (size_t i = 0; i < 3; ++i) {
      world_.guest_plan(i).workload = [] { return std::make_unique<Quiet>(); };
    }
    controller_ = GetParam().make(world_.plan());
  }

  void LookAndCheck() {
    world_.Pass(Seconds(11));
    for (const Command& command : world_.Look(*controller_)) {
      ASSERT_LT(command.guest, 3U);
      const GuestSight& guest = world_.guest(command.guest);
      EXPECT_GE(command.balloon_bytes, 0);
      EXPECT_LE(command.balloon_bytes, guest.plan->boot_bytes);
      EXPECT_TRUE(guest.running && guest.vmm_answers);
      EXPECT_EQ(guest.plan->limits.mode, policy::Mode::kFull);
    }
  }

  Sights world_{{4 * kGiB, 128 * kMiB, kGiB}};
  std::unique_ptr<Controller> controller_;
};

TEST_P(HostileSight, AnyNumbersOfAGuest) {
  for (const int64_t a : kValues) {
    for (const int64_t b : kValues) {
      for (size_t i = 0; i < 3; ++i) {
        GuestSight& guest = world_.guest(i);
        guest.total_bytes = a;
        guest.available_bytes = guest.free_bytes = guest.cache_bytes = b;
        guest.resident_bytes = b;
        guest.report = {{.total_bytes = a, .available_bytes = b, .stall_permyriad = 20'000}, world_.now()};
      }
      LookAndCheck();
    }
  }
}

TEST_P(HostileSight, AnyNumbersOfABalloon) {
  world_.host().available_bytes = kGiB;
  for (const int64_t a : kValues) {
    world_.guest(0).balloon_bytes = a;
    world_.guest(1).target_bytes = a;
    LookAndCheck();
  }
}

TEST_P(HostileSight, AnyHost) {
  for (const int64_t total : {int64_t{-1}, int64_t{0}, int64_t{1}, 64 * kGiB}) {
    for (const int64_t available : {int64_t{0}, int64_t{1}, 64 * kGiB, 65 * kGiB}) {
      for (const int32_t stall : {0, 10'000}) {
        world_.host() = {total, available, 0, stall, stall, stall};
        LookAndCheck();
      }
    }
  }
}

TEST_P(HostileSight, SilentVmmsPausedGuestsAndOtherModes) {
  world_.guest(0).vmm_answers = false;
  world_.guest(1).running = false;
  world_.guest_plan(2).limits.mode = policy::Mode::kGuard;
  world_.host().available_bytes = 0;
  for (int i = 0; i < 5; ++i) {
    world_.Pass(Seconds(11));
    EXPECT_TRUE(world_.Look(*controller_).empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Rivals, HostileSight, testing::ValuesIn(Rivals()), [](const auto& row) {
  std::string name;
  for (const char c : row.param.name) {
    if (c != '-') name += c;
  }
  return name;
});

TEST(Rivals, HaveNamesSourcesAndDevices) {
  std::vector<std::string> names;
  for (const ControllerKind& kind : Rivals()) {
    names.push_back(kind.name);
    EXPECT_FALSE(kind.source.empty()) << kind.name;
    EXPECT_TRUE(kind.make != nullptr) << kind.name;
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"fpr-only", "deflate-on-oom-only", "proxmox", "mom", "vm0", "qemus",
                                      "hypeman", "ghaf-mem-manager", "vmmms", "neon", "oracle"}));
}

}  // namespace
}  // namespace ballast::sim
