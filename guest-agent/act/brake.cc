#include "guest-agent/act/brake.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "common/base/size_text.h"
#include "common/base/text.h"

namespace ballast::agent {
namespace {

SamplerConfig ConfigFor(const BrakeConfig& config) {
  SamplerConfig sampler;
  sampler.page_size_bytes = config.page_size_bytes;
  sampler.thresholds.exhaustion_horizon = config.exhaustion_horizon;
  return sampler;
}

std::string Percent(int32_t permyriad) { return absl::StrFormat("%.2f %%", permyriad / 100.0); }

}  // namespace

Brake::Brake(const FileReader& files, const BrakeConfig& config)
    : config_(config), sensors_(files, Sensors::Pace::kSteady), plan_(ConfigFor(config)) {}

std::optional<std::string> Brake::Look(MonotonicTime now) {
  readings_ = &sensors_.Read(now, false);
  if (!readings_->meminfo) return "/proc/meminfo cannot be read";
  const Derived derived = plan_.Next(ToSample(*readings_)).derived;
  balloon_bytes_ = derived.balloon_bytes.value_or(0);
  if (derived.level >= Level::kPressed) {
    return StrCat("the guest is pressed: ", FormatSize(AvailableBytes()), " available, pressed below ",
                  FormatSize(PressedBelowBytes()));
  }
  if (derived.recent_stall_permyriad > config_.stall_permyriad) {
    return StrCat("tasks stalled on memory for ", Percent(derived.recent_stall_permyriad),
                  " of the last 100 ms, the brake is at ", Percent(config_.stall_permyriad));
  }
  return std::nullopt;
}

int64_t Brake::AvailableBytes() const {
  return readings_ != nullptr && readings_->meminfo ? readings_->meminfo->available_bytes : 0;
}

int64_t Brake::UsableBytes() const {
  const int64_t total = readings_ != nullptr && readings_->meminfo ? readings_->meminfo->total_bytes : 0;
  const bool includes_balloon = readings_ != nullptr && readings_->total_includes_balloon;
  return includes_balloon ? std::max<int64_t>(total - balloon_bytes_, 0) : total;
}

int64_t Brake::PressedBelowBytes() const { return ToBytes(Thresholds{}, UsableBytes()).pressed; }

}  // namespace ballast::agent
