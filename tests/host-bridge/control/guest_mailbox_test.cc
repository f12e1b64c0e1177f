// What wakes the control thread at once, and what waits for its next tick.
#include "host-bridge/control/guest_mailbox.h"

#include <gtest/gtest.h>

#include <chrono>

#include "common/base/units.h"
#include "host-bridge/policy/arithmetic.h"

namespace ballast::control {
namespace {

class GuestMailboxTest : public ::testing::Test {
 protected:
  // Whether a report rings the bell. One that does not is waited for, but no longer than it takes to be sure.
  bool Rings(int64_t available, int64_t consumption, bool urgent = false) {
    policy::GuestReading reading;
    reading.total_bytes = kGiB;
    reading.available_bytes = available;
    reading.consumption_bytes_per_second = consumption;
    mailbox_.OnReport({reading, MonotonicTime{1}}, urgent);
    constexpr auto kLong = std::chrono::milliseconds(400);
    const auto began = std::chrono::steady_clock::now();
    wakeup_.Wait(Milliseconds(400));
    return std::chrono::steady_clock::now() - began < kLong;
  }

  Wakeup wakeup_;
  GuestMailbox mailbox_{wakeup_, Seconds(3)};
};

TEST_F(GuestMailboxTest, APressedGuestRings) {
  EXPECT_TRUE(Rings(500 * kMiB, 0, true));
  EXPECT_FALSE(Rings(500 * kMiB, 0));
}

TEST_F(GuestMailboxTest, OneThatHasEatenAllSoonRingsBeforeItIsPressed) {
  EXPECT_TRUE(Rings(300 * kMiB, 100 * kMiB));
  EXPECT_FALSE(Rings(301 * kMiB, 100 * kMiB));
  EXPECT_FALSE(Rings(300 * kMiB, -100 * kMiB));
  EXPECT_FALSE(Rings(0, 0)) << "the agent says that it is pressed";
  EXPECT_FALSE(Rings(policy::kLargestSize, 1)) << "no number overflows";
}

}  // namespace
}  // namespace ballast::control
