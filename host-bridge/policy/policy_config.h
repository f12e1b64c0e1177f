// Every number the rules use, with its default and the reason for it (docs/rules.md has the same table).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/base/units.h"

namespace ballast::policy {

struct PolicyConfig {
  // --- When is a guest critical or pressed? ---
  // MemAvailable below this share of usable memory, within the bounds, is critical. 64 MiB is what the main
  // job was first shown with on a 256 MiB guest; the bounds keep tiny and huge guests sensible.
  int32_t critical_permyriad = 1000;
  int64_t critical_min_bytes = 32 * kMiB;
  int64_t critical_max_bytes = 256 * kMiB;
  // Pressed at twice the critical share: room for one reaction before it is critical.
  int32_t pressed_permyriad = 2000;
  int64_t pressed_min_bytes = 64 * kMiB;
  int64_t pressed_max_bytes = kGiB;
  // Critical also when the present rate empties MemAvailable within this time. A guest without swap goes from
  // its first direct reclaim to an OOM kill in 12-19 ms; the balloon needs hundreds of ms to give 512 MiB.
  Nanos exhaustion_horizon = Milliseconds(500);
  // Pressed when tasks stall this share of the time *and* little is available: a cgroup's own limit also
  // makes root PSI rise, with plenty available, and is none of the host's business.
  int32_t pressed_stall_permyriad = 1000;
  // A state is left only after it has not been seen for this long: enter fast, leave slowly.
  Nanos leave_dwell = Seconds(5);
  // Comfortable above pressed; idle when less than this share of the guest's size is in use.
  int32_t idle_used_permyriad = 2500;

  // --- Ages ---
  // A guest is silent when its last report is older (its slowest cadence is 10 s; three may be lost). While
  // it is silent nothing is taken from it; after the lease it gets its baseline back.
  Nanos report_max_age = Seconds(12);
  Nanos lease = Seconds(30);
  Nanos vmm_max_age = Seconds(15);
  Nanos host_max_age = Seconds(10);

  // --- Giving (rule 5) ---
  // Time a balloon needs to give what was asked: command, wake-up and the pages themselves.
  Nanos actuator_eta = Milliseconds(500);
  // A grant whose balloon has not moved for this long is sent again: the write may have died with its
  // connection.
  Nanos resend_after = Seconds(1);

  // --- Balloon watch (rules 3 and 4) ---
  // A fall of actual by this much that no command explains is a deflate-on-OOM (1 MiB a notification).
  int64_t self_shrink_bytes = kMiB;
  // Slower than this for `stall_time`, while more than `stall_slack_bytes` short: stalled (ChromeOS's
  // numbers).
  int64_t stall_bytes_per_second = 15 * kMiB;
  Nanos stall_time = Seconds(5);
  int64_t stall_slack_bytes = kMiB;
  Nanos first_block = Seconds(30);
  Nanos max_block = Seconds(30 * 60);

  // --- Host (rule 7) ---
  // Kept free for the host itself: this share of its memory, at least 512 MiB.
  int32_t host_reserve_permyriad = 1000;
  int64_t host_reserve_min_bytes = 512 * kMiB;
  // Pressure when less than one alignment unit above the reserve is left (nothing can be granted any more),
  // critical below half of it; each is left again only above 5/4 of its own limit.
  int32_t host_some_permyriad = 1000;  // or tasks of the host stall 10 % of a second
  int32_t host_full_permyriad = 500;   // or all of them 5 %: critical

  // --- Taking (rules 7 and 11) ---
  // A guest keeps what it uses plus this share of its size, and at least 5/4 of its pressed threshold, or the
  // taking itself would make it ask; at most half of the slack leaves in one step.
  int32_t guest_reserve_permyriad = 1000;
  int64_t guest_reserve_min_bytes = 64 * kMiB;
  int64_t max_step_bytes = 256 * kMiB;
  int64_t dead_band_bytes = 16 * kMiB;  // a smaller inflation is not worth the guest's CPU
  Nanos inflate_cooldown = Seconds(5);
  int64_t alignment_bytes = kMiB;  // Firecracker's granularity, the coarsest of the four VMMs

  // All faults at once: "key: value is out of range, allowed a..b".
  [[nodiscard]] std::vector<std::string> Validate() const;
};

}  // namespace ballast::policy
