// How much of what is asked for a guest gives back, after a workload that leaves its memory in shreds: by
// Ballast, and by a plain request to the device as a plain setup would make it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ballast/bridge/v1/bridge.pb.h"

namespace ballast::lab {

// A request that is made once gets at least so much time.
inline constexpr absl::Duration kLeastPatience = absl::Seconds(10);

// What every yield is a share of. An emulated guest takes half a minute to fill twice that.
inline constexpr int64_t kPluggedMib = 512;

enum class PlugKind : uint8_t { kDimms, kVirtioMem };

struct Yield {
  int64_t requested_bytes = 0;  // all that was plugged
  int64_t left_bytes = 0;       // by QEMU's count
  absl::Duration took;
  std::string workload;       // what it said that it holds
  bool workload_ran = false;  // to the end, with every word as it was written
  int64_t oom_kills = 0;
  // Of Ballast alone.
  std::string reason;  // why not all of it left; empty: all of it
  std::vector<bridge::v1::BlockRefusal> refused;
};

[[nodiscard]] double PercentOf(const Yield& yield);

// A guest whose memory was onlined as Movable by its agent; all that was plugged is taken by one ResizeGuest
// of the bridge's.
[[nodiscard]] absl::StatusOr<Yield> UnplugByBallast(PlugKind kind);
// The same guest and workload, with the kernel's own onlining and no agent; the device is asked once for all
// of it, and given `within` from then on.
[[nodiscard]] absl::StatusOr<Yield> UnplugPlainly(PlugKind kind, absl::Duration within);

}  // namespace ballast::lab
