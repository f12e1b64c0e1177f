#include "host-bridge/policy/policy_config.h"

#include <algorithm>
#include <utility>

#include "common/base/size_text.h"

namespace ballast::policy {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 40;  // 1 TiB: no threshold of one machine is larger

class Faults {
 public:
  void Permyriad(const char* key, int32_t value, int32_t least = 0) {
    Check(key, value, least, 10'000, [](int64_t n) { return std::to_string(n); });
  }
  void Bytes(const char* key, int64_t value, int64_t least, int64_t most) {
    Check(key, value, least, most, [](int64_t n) { return FormatSize(std::max(n, -kMostBytes)); });
  }
  void Span(const char* key, Nanos value, Nanos least, Nanos most) {
    Check(key, value.count, least.count, most.count,
          [](int64_t n) { return std::to_string(n / 1'000'000) + "ms"; });
  }
  void NotAbove(const char* key, int64_t value, const char* limit_key, int64_t limit) {
    if (value > limit) list_.push_back(std::string(key) + ": must not be above " + limit_key);
  }
  std::vector<std::string> Take() { return std::move(list_); }

 private:
  template <typename Format>
  void Check(const char* key, int64_t value, int64_t least, int64_t most, Format format) {
    if (value >= least && value <= most) return;
    list_.push_back(std::string(key) + ": " + format(value) + " is out of range, allowed " + format(least) +
                    ".." + format(most));
  }

  std::vector<std::string> list_;
};

constexpr Nanos kHour = Seconds(3600);
constexpr Nanos kDay = Seconds(24 * 3600);
constexpr Nanos kTick = Milliseconds(1);

void CheckGuestStates(const PolicyConfig& config, Faults& faults) {
  faults.Permyriad("critical_permyriad", config.critical_permyriad);
  faults.Bytes("critical_min_bytes", config.critical_min_bytes, 0, kMostBytes);
  faults.Bytes("critical_max_bytes", config.critical_max_bytes, 0, kMostBytes);
  faults.Permyriad("pressed_permyriad", config.pressed_permyriad);
  faults.Bytes("pressed_min_bytes", config.pressed_min_bytes, 0, kMostBytes);
  faults.Bytes("pressed_max_bytes", config.pressed_max_bytes, 0, kMostBytes);
  faults.NotAbove("critical_permyriad", config.critical_permyriad, "pressed_permyriad",
                  config.pressed_permyriad);
  faults.NotAbove("critical_min_bytes", config.critical_min_bytes, "critical_max_bytes",
                  config.critical_max_bytes);
  faults.NotAbove("critical_min_bytes", config.critical_min_bytes, "pressed_min_bytes",
                  config.pressed_min_bytes);
  faults.NotAbove("critical_max_bytes", config.critical_max_bytes, "pressed_max_bytes",
                  config.pressed_max_bytes);
  faults.NotAbove("pressed_min_bytes", config.pressed_min_bytes, "pressed_max_bytes",
                  config.pressed_max_bytes);
  faults.Span("exhaustion_horizon", config.exhaustion_horizon, {0}, Seconds(10));
  faults.Permyriad("pressed_stall_permyriad", config.pressed_stall_permyriad, 1);
  faults.Bytes("pressed_refault_bytes_per_second", config.pressed_refault_bytes_per_second, kMiB, kMostBytes);
  faults.Permyriad("zram_short_permyriad", config.zram_short_permyriad);
  faults.Span("zram_horizon", config.zram_horizon, {0}, kHour);
  faults.Bytes("kernel_short_bytes", config.kernel_short_bytes, 0, kMostBytes);
  faults.Span("leave_dwell", config.leave_dwell, {0}, kHour);
  faults.Permyriad("idle_used_permyriad", config.idle_used_permyriad);
}

void CheckTimes(const PolicyConfig& config, Faults& faults) {
  faults.Span("report_max_age", config.report_max_age, kTick, kHour);
  faults.Span("lease", config.lease, kTick, kHour);
  faults.NotAbove("report_max_age", config.report_max_age.count, "lease", config.lease.count);
  faults.Span("vmm_max_age", config.vmm_max_age, kTick, kHour);
  faults.Span("host_max_age", config.host_max_age, kTick, kHour);
  faults.Span("actuator_latency", config.actuator_latency, {0}, Seconds(60));
  faults.Bytes("assumed_give_bytes_per_second", config.assumed_give_bytes_per_second, kMiB, kMostBytes);
  faults.Span("resend_after", config.resend_after, Milliseconds(10), kHour);
  faults.Span("request_answer_ahead", config.request_answer_ahead, {0}, Seconds(60));
}

void CheckBalloon(const PolicyConfig& config, Faults& faults) {
  faults.Bytes("self_shrink_bytes", config.self_shrink_bytes, 4 * kKiB, kMostBytes);
  faults.Bytes("stall_bytes_per_second", config.stall_bytes_per_second, 0, kMostBytes);
  faults.Span("stall_time", config.stall_time, kTick, kHour);
  faults.Bytes("stall_slack_bytes", config.stall_slack_bytes, 0, kMostBytes);
  faults.Span("first_block", config.first_block, kTick, kDay);
  faults.Span("max_block", config.max_block, kTick, kDay);
  faults.NotAbove("first_block", config.first_block.count, "max_block", config.max_block.count);
  faults.Bytes("useless_slack_bytes", config.useless_slack_bytes, kMiB, kMostBytes);
  faults.Span("useless_after", config.useless_after, kTick, kHour);
  faults.Span("useless_block", config.useless_block, kTick, kDay);
}

void CheckTaking(const PolicyConfig& config, Faults& faults) {
  faults.Permyriad("host_reserve_permyriad", config.host_reserve_permyriad);
  faults.Bytes("host_reserve_min_bytes", config.host_reserve_min_bytes, 0, kMostBytes);
  faults.Permyriad("critical_draw_permyriad", config.critical_draw_permyriad);
  faults.Permyriad("host_some_permyriad", config.host_some_permyriad, 1);
  faults.Permyriad("host_full_permyriad", config.host_full_permyriad, 1);
  faults.Permyriad("guest_reserve_permyriad", config.guest_reserve_permyriad);
  faults.Bytes("guest_reserve_min_bytes", config.guest_reserve_min_bytes, 0, kMostBytes);
  faults.Bytes("max_step_bytes", config.max_step_bytes, kMiB, kMostBytes);
  faults.Permyriad("max_step_permyriad", config.max_step_permyriad);
  faults.Bytes("dead_band_bytes", config.dead_band_bytes, 0, kMostBytes);
  faults.Bytes("alignment_bytes", config.alignment_bytes, 4 * kKiB, kGiB);
  faults.NotAbove("dead_band_bytes", config.dead_band_bytes, "max_step_bytes", config.max_step_bytes);
  faults.NotAbove("alignment_bytes", config.alignment_bytes, "max_step_bytes", config.max_step_bytes);
  faults.Span("inflate_cooldown", config.inflate_cooldown, {0}, kHour);
  faults.Permyriad("zram_donor_permyriad", config.zram_donor_permyriad);
  faults.Permyriad("idle_tax_permyriad", config.idle_tax_permyriad);
}

void CheckIdle(const PolicyConfig& config, Faults& faults) {
  faults.Span("idle_after", config.idle_after, {0}, kDay);
  faults.Span("working_set_window", config.working_set_window, Seconds(1), kDay);
  faults.Span("idle_interval", config.idle_interval, kTick, kHour);
  faults.Bytes("idle_probe_bytes", config.idle_probe_bytes, kMiB, kMostBytes);
  faults.Permyriad("idle_reserve_permyriad", config.idle_reserve_permyriad);
  faults.Permyriad("idle_stall_permyriad", config.idle_stall_permyriad, 1);
  faults.Bytes("idle_refault_bytes_per_second", config.idle_refault_bytes_per_second, 4 * kKiB, kMostBytes);
  faults.Span("idle_regret_window", config.idle_regret_window, {0}, kDay);
  faults.Span("idle_max_wait", config.idle_max_wait, kTick, kDay);
  faults.NotAbove("idle_after", config.idle_after.count, "idle_max_wait", config.idle_max_wait.count);
}

void CheckPlug(const PolicyConfig& config, Faults& faults) {
  faults.Span("plug_after", config.plug_after, {0}, kHour);
  faults.Span("plug_horizon", config.plug_horizon, {0}, Seconds(60));
  faults.Span("plug_patience", config.plug_patience, kTick, kHour);
  faults.Span("unplug_after", config.unplug_after, {0}, kDay);
  faults.Span("unplug_patience", config.unplug_patience, kTick, kHour);
}

}  // namespace

std::vector<std::string> PolicyConfig::Validate() const {
  Faults faults;
  CheckGuestStates(*this, faults);
  CheckTimes(*this, faults);
  CheckBalloon(*this, faults);
  CheckTaking(*this, faults);
  CheckIdle(*this, faults);
  CheckPlug(*this, faults);
  return faults.Take();
}

}  // namespace ballast::policy
