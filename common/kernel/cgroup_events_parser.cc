#include "common/kernel/cgroup_events_parser.h"

#include "absl/status/status.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {

absl::StatusOr<int64_t> ParseCgroupOomKills(std::string_view text) {
  constexpr std::string_view kField = "oom_kill ";
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (!line.starts_with(kField)) continue;
    line.remove_prefix(kField.size());
    const auto kills = TakeNumber(line);
    if (kills && line.empty()) return *kills;
    return absl::InvalidArgumentError("memory.events: oom_kill is not a whole number up to 2^62");
  }
  return absl::InvalidArgumentError("memory.events: oom_kill is missing");
}

}  // namespace ballast::kernel
