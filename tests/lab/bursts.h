// Bursts of memory use in a guest whose balloon holds three quarters of it: with the bridge and without.
// Shared by the test that demands no OOM kill and the bench that counts them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/lab/guest.h"

namespace ballast::lab {

struct BurstPlan {
  int count = 20;
  int64_t least_mib = 64;
  int64_t most_mib = 512;
  int64_t left_mib = 256;  // of the guest, beside its balloon, when a burst begins
  bool managed = false;
};

struct BurstResult {
  int64_t mib = 0;
  bool work_done = false;
  int64_t oom_kills = 0;
  int64_t fill_ms = 0;                   // absent work: 0
  std::optional<double> after_onset_ms;  // pressure began -> command written
};

// Each burst writes its pages as fast as the guest can, holds them for a moment, checks and frees them. The
// balloon is set anew before each; a managed burst gets a bridge that has just started, as after a crash of
// the last.
[[nodiscard]] absl::StatusOr<std::vector<BurstResult>> RunBursts(Guest& guest, const BurstPlan& plan);

[[nodiscard]] int64_t TotalKills(const std::vector<BurstResult>& results);
[[nodiscard]] int64_t TotalDone(const std::vector<BurstResult>& results);
// A table for people, one line a burst.
[[nodiscard]] std::string TableOf(const std::string& title, const std::vector<BurstResult>& results);

}  // namespace ballast::lab
