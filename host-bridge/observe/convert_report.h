// The agent's report as the policy's facts. Everything in a report is hostile input: it is taken whole, or
// rejected whole with the field that is wrong. Pure; the history it needs is a value passed in and out.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "common/base/time.h"
#include "host-bridge/observe/clock_offset.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::guest::v1 {
class Report;
}

namespace ballast::observe {

// What the last accepted report of an agent leaves for the next one.
struct ReportMemory {
  uint64_t agent_generation = 0;
  int64_t guest_ns = 0;  // when that sample was taken, on the guest's clock
  // The refault counter's base and the rate last worked out from it.
  int64_t refault_base_ns = 0;
  std::optional<int64_t> refault_base_pages;
  int64_t refault_bytes_per_second = 0;
  // The zram devices' refused writes, and when they last rose.
  std::optional<int64_t> zram_failed_writes = {};
  std::optional<int64_t> zram_refused_ns = {};

  friend bool operator==(const ReportMemory&, const ReportMemory&) = default;
};

// What the session knows besides the report.
struct ReportContext {
  uint64_t agent_generation = 0;
  int64_t page_size_bytes = 4096;           // from GetInfo: a power of two, 4 KiB..64 KiB
  std::optional<ClockOffset> clock_offset;  // absent: the guest's instants cannot be placed
  MonotonicTime received_at;                // host
};

struct ConvertedReport {
  policy::GuestReading reading;
  ReportMemory memory;

  friend bool operator==(const ConvertedReport&, const ConvertedReport&) = default;
};

// Errors: InvalidArgument "field = value: what is wrong". A memory of another agent generation counts as
// none. Refaults: 0 for the first report and when the counter went backwards. The onset of pressure is
// dropped when it lies in the future or more than 10 minutes back, or when the clocks are not related yet.
[[nodiscard]] absl::StatusOr<ConvertedReport> ConvertReport(const guest::v1::Report& report,
                                                            const ReportContext& context,
                                                            const std::optional<ReportMemory>& memory);

}  // namespace ballast::observe
