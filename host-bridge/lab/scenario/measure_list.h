// The measures a scenario can promise something about, by name. host-bridge/lab/report says what each is; a
// test holds the two lists together.
#pragma once

#include <array>
#include <string_view>

namespace ballast::sim {

inline constexpr std::array<std::string_view, 15> kMeasures{
    "guest_oom_kills",
    "kills_with_headroom",
    "host_oom_kills",
    "starved_seconds",
    "starved_by_us_seconds",
    "stalled_seconds",
    "stall_seconds_per_guest_hour",
    "host_swapping_seconds",
    "residency_amplification",
    "mean_resident_bytes",
    "host_peak_bytes",
    "reversals",
    "bytes_taken",
    "bytes_given",
    "commands",
};

}  // namespace ballast::sim
