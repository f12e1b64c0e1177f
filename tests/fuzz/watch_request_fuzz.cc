// The agent's wire input: what a client may send to open a Watch. A request is refused, or its settings are
// in the ranges that guest_agent.proto promises.
#include <cstdint>
#include <cstdlib>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "guest-agent/service/convert.h"

namespace {

using ballast::agent::Limit;

void Require(bool holds) {
  if (!holds) std::abort();
}

bool IsValid(const Limit& limit) {
  return limit.permyriad >= 0 && limit.permyriad <= 10'000 && limit.min_bytes >= 0 &&
         limit.max_bytes >= limit.min_bytes && limit.max_bytes <= ballast::agent::kNoUpperBound;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ballast::guest::v1::WatchRequest request;
  if (!request.ParseFromArray(data, static_cast<int>(size))) return 0;
  const auto settings = ballast::agent::ToSettings(request);
  if (!settings.ok()) {
    Require(!settings.status().message().empty());
    return 0;
  }
  const auto& thresholds = settings->thresholds;
  const auto& cadence = settings->cadence;
  Require(IsValid(thresholds.armed) && IsValid(thresholds.pressed) && IsValid(thresholds.critical));
  Require(cadence.quiet >= ballast::Seconds(1) && cadence.quiet <= ballast::Seconds(60));
  Require(cadence.pressed >= ballast::Milliseconds(20) && cadence.pressed <= ballast::Seconds(1));
  return 0;
}
