// The agent's events as facts. As hostile as its reports: an event is taken whole or rejected whole, and the
// texts in it, which programs of the guest choose, are cut and freed of what a terminal would obey.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "host-bridge/observe/convert_report.h"
#include "host-bridge/policy/oom_verdict.h"

namespace ballast::guest::v1 {
class Event;
class OomVerdict;
}  // namespace ballast::guest::v1

namespace ballast::observe {

// At most `most` bytes, printable ASCII; any other byte becomes '?'.
[[nodiscard]] std::string CleanText(std::string_view text, size_t most);

// Errors: InvalidArgument "field = value: what is wrong". `guest` is left to the receiver. Enum values that
// this version does not know count as unknown.
[[nodiscard]] absl::StatusOr<policy::OomVerdict> ConvertVerdict(const guest::v1::OomVerdict& verdict,
                                                                const ReportContext& context);

// The memory request in `event`, its deadline on the host's clock. Errors as above.
[[nodiscard]] absl::StatusOr<policy::MemoryRequest> ConvertRequest(const guest::v1::Event& event,
                                                                   const ReportContext& context);

}  // namespace ballast::observe
