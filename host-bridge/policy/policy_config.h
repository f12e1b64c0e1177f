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
  // MemAvailable below this share of usable memory, within the bounds, is critical. How fast it falls is a
  // question of its own (exhaustion_horizon), so the share only has to cover what a reaction takes: 64 MiB is
  // what the main job was first shown with on a 256 MiB guest; the bounds keep tiny and huge guests sensible.
  int32_t critical_permyriad = 300;
  int64_t critical_min_bytes = 32 * kMiB;
  int64_t critical_max_bytes = 256 * kMiB;
  // Pressed at twice the critical share: room for one reaction before it is critical.
  int32_t pressed_permyriad = 600;
  int64_t pressed_min_bytes = 64 * kMiB;
  int64_t pressed_max_bytes = 512 * kMiB;
  // Critical also when the present rate empties MemAvailable within this time. A guest without swap goes from
  // its first direct reclaim to an OOM kill in 12-19 ms; the balloon needs hundreds of ms to give 512 MiB.
  // Up to 8 times as long where the balloon was seen to give less than twice as fast as the guest consumes.
  Nanos exhaustion_horizon = Milliseconds(500);
  // Pressed when tasks stall this share of the time *and* little is available: a cgroup's own limit also
  // makes root PSI rise, with plenty available, and is none of the host's business.
  int32_t pressed_stall_permyriad = 1000;
  // Pressed when evicted pages are read back at this rate while the balloon holds memory: the page cache that
  // is needed counts as available. ChromeOS acts at 10 MiB/s.
  int64_t pressed_refault_bytes_per_second = 10 * kMiB;
  // Swap on zram is no capacity: what goes there takes memory, and once it is full nothing is left but to
  // kill. With less than this share of it left, pressed: while it grows, or when what is available does not
  // cover what is missing of that share either. A tenth of a device the size of half the memory is what a
  // balloon gives in well under a second.
  int32_t zram_short_permyriad = 1000;
  // Pressed as well when it is full within this time: an armed guest speaks every second, and swaps 128 MiB
  // in one. So long shall last what it is given then.
  Nanos zram_horizon = Seconds(5);
  // The zones that serve the kernel are short with less than this above their low watermarks. There the
  // kernel reclaims all the time, which is normal with a full page cache; so the guest must suffer as well
  // (`idle_stall_permyriad`).
  int64_t kernel_short_bytes = 0;
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
  // A grant arrives after this latency (report, command, the driver's wake-up) plus its bytes at the speed
  // this balloon was last seen to give with; until that is known, at the assumed one: a quarter of a stock
  // balloon's 2 GiB/s, about twice that of a guest without hardware virtualisation.
  Nanos actuator_latency = Milliseconds(100);
  int64_t assumed_give_bytes_per_second = 512 * kMiB;
  // A grant whose balloon has not moved for this long is sent again: the write may have died with its
  // connection.
  Nanos resend_after = Seconds(1);

  // A request for memory that the host cannot grant now waits until so long before its deadline: time for the
  // answer to get there (rule 14).
  Nanos request_answer_ahead = Milliseconds(250);

  // --- Balloon watch (rules 3, 4 and 13) ---
  // A fall of actual by this much that no command explains is a deflate-on-OOM (1 MiB a notification).
  int64_t self_shrink_bytes = kMiB;
  // Slower than this for `stall_time`, while more than `stall_slack_bytes` short: stalled (ChromeOS's
  // numbers).
  int64_t stall_bytes_per_second = 15 * kMiB;
  Nanos stall_time = Seconds(5);
  int64_t stall_slack_bytes = kMiB;
  Nanos first_block = Seconds(30);
  Nanos max_block = Seconds(30 * 60);
  // The VMM holds more than the guest's size, by this and a quarter of the balloon, for this long, whether
  // the balloon rests or moves: what was taken did not come back to the host (VFIO, huge pages, macOS).
  int64_t useless_slack_bytes = 128 * kMiB;
  Nanos useless_after = Seconds(30);
  // A backend does not change while its VM runs; half a day bounds what a wrong verdict costs.
  Nanos useless_block = Seconds(12 * 3600);

  // --- Host (rule 7) ---
  // Kept free for the host itself: this share of its memory, at least 512 MiB.
  int32_t host_reserve_permyriad = 1000;
  int64_t host_reserve_min_bytes = 512 * kMiB;
  // The share of it that critical guests may draw on for what they are short of: down to where the host
  // itself is critical. With none of it they wait for what others give back (docs/simulator.md has the price
  // of both).
  int32_t critical_draw_permyriad = 5000;
  // Pressure when less than one alignment unit above the reserve is left (nothing can be granted any more),
  // critical below half of it; each is left again only above 5/4 of its own limit.
  int32_t host_some_permyriad = 1000;  // or tasks of the host stall 10 % of a second
  int32_t host_full_permyriad = 500;   // or all of them 5 %: critical

  // --- Taking (rules 6, 7, 8 and 11) ---
  // A guest keeps what it uses plus this share of its size, and at least 5/4 of its pressed threshold, or the
  // taking itself would make it ask; at most half of the slack leaves in one step.
  int32_t guest_reserve_permyriad = 500;
  int64_t guest_reserve_min_bytes = 64 * kMiB;
  // A step that a wrong guess can undo in time (256 MiB are a quarter of a second at 1 GiB/s); of a large
  // guest this share of its size.
  int64_t max_step_bytes = 256 * kMiB;
  int32_t max_step_permyriad = 500;
  int64_t dead_band_bytes = 16 * kMiB;  // a smaller inflation is not worth the guest's CPU
  Nanos inflate_cooldown = Seconds(5);
  int64_t alignment_bytes = kMiB;  // Firecracker's granularity, the coarsest of the four VMMs
  // Nothing is taken from a guest that has swapped more than this share of its memory to zram: it had too
  // little already. Only a critical host does. (Sparing guests from 10 % on costs others on an overloaded
  // host twice the time without enough; from 20 % on nothing.)
  int32_t zram_donor_permyriad = 2000;
  // What a donor does not use costs it 1/(1 - tax) times what it uses: an idle guest gives before a busy one
  // of the same slack and weight. ESX's default.
  int32_t idle_tax_permyriad = 7500;

  // --- Idle guests (rule 8) ---
  // Taken without need once the guest has been calm for this long: the boot and a short break are over.
  Nanos idle_after = Seconds(60);
  // The guest keeps the most it used within the last one to two of these.
  Nanos working_set_window = Seconds(300);
  // A step is watched this long before the next one (Senpai looks every 6 s): longer than a quiet guest's
  // cadence of 10 s, or nothing would be heard of it in that time.
  Nanos idle_interval = Seconds(15);
  // Beyond its free pages a step takes at most this much of the guest's page cache: what invariant I8 does
  // not yet call a reversal when it is undone.
  int64_t idle_probe_bytes = 64 * kMiB;
  // Beyond its working set an idle guest keeps this share of it: with free page reporting unused memory costs
  // the host nothing, and a burst that finds it need not wait for a balloon.
  int32_t idle_reserve_permyriad = 2500;
  // Rates above which a step is refused, or undone while it is watched: Senpai's 0.1 % of PSI, and 1 MiB/s,
  // its swap-out brake, for pages read back.
  int32_t idle_stall_permyriad = 10;
  int64_t idle_refault_bytes_per_second = kMiB;
  // A step was also wrong when the guest needs memory again this soon.
  Nanos idle_regret_window = Seconds(600);
  // The calm a guest needs after a step that was wrong: `idle_after`, doubled each time up to this; halved
  // again after this long without a wrong step.
  Nanos idle_max_wait = Seconds(3600);

  // --- Hotplug (rules 9 and 10) ---
  // A guest with an empty balloon is plugged once it has been pressed for this long: a burst shorter than
  // that is the kernel's own to absorb, and what was plugged leaves far more slowly than it came.
  Nanos plug_after = Seconds(1);
  // At once when the present rate empties it within this time, which is also what a plugging is to last: the
  // command, the guest's handling of it, and the report that asks for the next.
  Nanos plug_horizon = Seconds(2);
  // Plugged and not in use for so long: nothing more is plugged. An agent brings a block online in
  // milliseconds, a kernel alone in tens of them.
  Nanos plug_patience = Seconds(10);
  // Unplugged once the guest has been calm for this long. Moving what lives there costs the guest far more
  // than a balloon does.
  Nanos unplug_after = Seconds(300);
  // Asked back and nothing has left for so long: it is no longer asked for. A block is given up by the agent
  // within a minute.
  Nanos unplug_patience = Seconds(60);

  // All faults at once: "key: value is out of range, allowed a..b".
  [[nodiscard]] std::vector<std::string> Validate() const;

  friend bool operator==(const PolicyConfig&, const PolicyConfig&) = default;
};

}  // namespace ballast::policy
