// Taking looks at all guests together: what each could give, and who gives how much.
#pragma once

#include <cstdint>
#include <vector>

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

// What one guest could give. Sizes in bytes.
struct Donor {
  size_t guest = 0;  // into Snapshot::guests
  const GuestLimits* limits = nullptr;
  int64_t standing = 0;           // balloon: max(actual, target); a taking starts here
  int64_t baseline_slack = 0;     // may leave it without going below its baseline
  int64_t floor_slack = 0;        // the same for its floor; >= baseline_slack
  int64_t idle_step = 0;          // rule 8 takes this much now without any need
  int64_t plugged = 0;            // as the VMM was last asked for
  int64_t unplug_step = 0;        // rule 10 takes this much now without any need
  int64_t unplug_give = 0;        // or has its balloon give this first
  int64_t most_step = 0;          // of one step of rule 8
  int64_t most_step_in_need = 0;  // of one step of rules 6 and 7
  int64_t used = 0;               // of `size`, for the idle tax
  int64_t size = 0;
  int64_t pressed_bytes = 0;  // its pressed threshold, for the reason
  bool taken = false;         // something was decided for it already
};
struct Taking {
  Donor* donor = nullptr;
  int64_t bytes = 0;  // a multiple of the alignment
};

// Whether anything may be taken from the guest now.
[[nodiscard]] bool IsDonor(const View& view, const PolicyConfig& config);
// A quick look: false means that its idle_step is 0.
[[nodiscard]] bool MayGiveForIdleness(const View& view, const PolicyConfig& config);
[[nodiscard]] Donor DonorOf(const View& view, const PolicyConfig& config);

// Without the states of guest and host, which the donor does not know.
[[nodiscard]] Reason ReasonToTake(Rule rule, const Donor& donor, const Sampled<GuestReading>& report,
                                  int64_t wanted, MonotonicTime now);

enum class DownTo : uint8_t { kBaseline, kFloor };

// A donor's part while shares are worked out.
struct Share {
  Donor* donor = nullptr;
  int64_t units = 0;  // most it may give now, in alignment units, >= 1
  int64_t claim = 0;  // the measure of its share; >= 1
  int64_t fill = 0;   // units / claim, scaled and rounded down: sorts nearly as the ratio does
  int64_t share = 0;
};

// Rules 6 and 7: shares of `wanted` > 0 bytes among `donors` in
// proportion to their taxed slack over weight. `shares` is scratch; the takings, in no particular order,
// replace those in `takings`.
void ShareOut(const std::vector<Donor*>& donors, int64_t wanted, DownTo limit, const PolicyConfig& config,
              std::vector<Share>& shares, std::vector<Taking>& takings);

}  // namespace ballast::policy
