// Says when an act has to stop for the guest's sake: tasks stall on memory, or memory becomes short. Looks
// with sensors of its own, so that the agent's watchers notice nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/base/time.h"
#include "common/os/file_reader.h"
#include "guest-agent/sensors/sampler.h"
#include "guest-agent/sensors/sensors.h"

namespace ballast::agent {

struct BrakeConfig {
  int32_t stall_permyriad = 100;
  int64_t page_size_bytes = 4 * kKiB;
  // 0: how fast memory becomes less is not looked at, for what the act itself takes is no consumption.
  Nanos exhaustion_horizon = Thresholds{}.exhaustion_horizon;
};

// Used by one thread.
class Brake {
 public:
  Brake(const FileReader& files, const BrakeConfig& config);

  // Reads the guest's figures. Nothing: go on. Otherwise why not, in one sentence. The level is judged by the
  // default thresholds, for whoever watches may have chosen others for other ends.
  [[nodiscard]] std::optional<std::string> Look(MonotonicTime now);

  // As last seen.
  [[nodiscard]] const Readings& Seen() const { return *readings_; }
  [[nodiscard]] int64_t AvailableBytes() const;
  // Usable: MemTotal, less the balloon where it is counted in.
  [[nodiscard]] int64_t UsableBytes() const;
  // MemAvailable below which the guest is pressed.
  [[nodiscard]] int64_t PressedBelowBytes() const;

 private:
  const BrakeConfig config_;
  Sensors sensors_;
  SamplePlan plan_;
  const Readings* readings_ = nullptr;
  int64_t balloon_bytes_ = 0;
};

}  // namespace ballast::agent
