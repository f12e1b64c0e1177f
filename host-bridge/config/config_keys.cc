#include "host-bridge/config/config_keys.h"

#include <algorithm>
#include <optional>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "host-bridge/config/value_text.h"

namespace ballast::config {
namespace {

using policy::Mode;
using policy::PolicyConfig;

constexpr Words<LogLevel, 4> kLogLevels{{{"debug", LogLevel::kDebug},
                                         {"info", LogLevel::kInfo},
                                         {"warning", LogLevel::kWarning},
                                         {"error", LogLevel::kError}}};
constexpr Words<Mode, 4> kModes{
    {{"off", Mode::kOff}, {"observe", Mode::kObserve}, {"guard", Mode::kGuard}, {"full", Mode::kFull}}};
constexpr Words<VmmKind, 1> kVmms{{{"qemu", VmmKind::kQemu}}};
constexpr Words<Link, 2> kLinks{{{"dial", Link::kDial}, {"listen", Link::kListen}}};

constexpr size_t kMaxSocketPath = 107;  // sockaddr_un, less its terminating NUL

// Stores a parsed value, or passes its error on.
template <typename V, typename Field>
absl::Status Store(const absl::StatusOr<V>& value, Field& field) {
  if (value.ok()) field = *value;
  return value.status();
}

struct Range {
  Nanos least;
  Nanos most;
};

absl::Status ReadDurationIn(std::string_view text, Range range, Nanos& field) {
  const auto value = ParseDuration(text);
  if (!value.ok()) return value.status();
  if (*value < range.least || *value > range.most) {
    return absl::InvalidArgumentError(StrCat("is out of range; write a duration from ",
                                             FormatDuration(range.least), " to ",
                                             FormatDuration(range.most)));
  }
  field = *value;
  return absl::OkStatus();
}

// A duration of [bridge]; `get` finds its field.
Key<BridgeConfig> Span(std::string_view name, Range range, std::function<Nanos&(BridgeConfig&)> get) {
  return {.name = name,
          .read = [=](std::string_view text, BridgeConfig& c) { return ReadDurationIn(text, range, get(c)); },
          .write =
              [=](const BridgeConfig& c) {
                BridgeConfig copy = c;
                return FormatDuration(get(copy));
              }};
}

// The agent counts its cadence in milliseconds.
Key<BridgeConfig> Cadence(std::string_view name, Range range, Nanos ReportCadence::*field) {
  Key<BridgeConfig> key = Span(name, range, [=](BridgeConfig& c) -> Nanos& { return c.reports.*field; });
  key.read = [=](std::string_view text, BridgeConfig& c) -> absl::Status {
    Nanos value;
    if (const auto status = ReadDurationIn(text, range, value); !status.ok()) return status;
    if (value.count % Milliseconds(1).count != 0) {
      return absl::InvalidArgumentError("is finer than the agent can count; write whole milliseconds");
    }
    c.reports.*field = value;
    return absl::OkStatus();
  };
  return key;
}

absl::Status ReadAbsolutePath(std::string_view text, std::string& field) {
  if (!text.starts_with('/')) return absl::InvalidArgumentError("is not an absolute path; begin it with '/'");
  // A NUL would end the path for the kernel, and so name another file.
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), is_control)) {
    return absl::InvalidArgumentError("holds a control character; write a path without it");
  }
  field = text;
  return absl::OkStatus();
}

absl::Status ReadReclaimHold(std::string_view text, int64_t& field) {
  const auto size = ParseSize(text);
  if (!size.ok()) return size.status();
  if (*size < 0 || *size > 256 * 1024 * kGiB) {
    return absl::InvalidArgumentError("is out of range; write a size from 0 to 256TiB");
  }
  field = *size;
  return absl::OkStatus();
}

absl::Status ReadJournalMax(std::string_view text, int64_t& field) {
  const auto size = ParseSize(text);
  if (!size.ok()) return size.status();
  if (*size < kMiB || *size > 1024 * kGiB) {
    return absl::InvalidArgumentError("is out of range; write a size from 1MiB to 1TiB");
  }
  field = *size;
  return absl::OkStatus();
}

absl::Status ReadSocketPath(std::string_view text, std::string& field) {
  if (text.size() > kMaxSocketPath) {
    return absl::InvalidArgumentError(StrCat("has ", text.size(), " bytes; a socket's path has at most ",
                                             kMaxSocketPath,
                                             " (use a shorter directory or a symbolic link)"));
  }
  return ReadAbsolutePath(text, field);
}

absl::Status ReadAgent(std::string_view text, Address& field) {
  const auto address = ParseAddress(text);
  if (!address.ok()) return address.status();
  const auto* vsock = std::get_if<VsockAddress>(&*address);
  if (vsock != nullptr && vsock->cid == 2) {
    return absl::InvalidArgumentError("CID 2 is the host itself; write the guest's own CID (3 or more)");
  }
  field = *address;
  return absl::OkStatus();
}

absl::Status ReadWeight(std::string_view text, int32_t& field) {
  const auto weight = ParseCount(text);
  if (!weight.ok() || *weight < 1 || *weight > 10'000) {
    return absl::InvalidArgumentError("is out of range; write a whole number from 1 to 10000");
  }
  field = *weight;
  return absl::OkStatus();
}

Key<PolicyConfig> Size(std::string_view name, std::string_view field, int64_t PolicyConfig::*member) {
  return {.name = name,
          .read = [=](std::string_view text, PolicyConfig& c) { return Store(ParseSize(text), c.*member); },
          .write = [=](const PolicyConfig& c) { return FormatExactSize(c.*member); },
          .field = field};
}

// A size a second: "15MiB/s".
Key<PolicyConfig> Rate(std::string_view name, std::string_view field, int64_t PolicyConfig::*member) {
  return {.name = name,
          .read = [=](std::string_view text, PolicyConfig& c) -> absl::Status {
            if (!text.ends_with("/s"))
              return absl::InvalidArgumentError("has no '/s'; write for example '15MiB/s'");
            return Store(ParseSize(text.substr(0, text.size() - 2)), c.*member);
          },
          .write = [=](const PolicyConfig& c) { return FormatExactSize(c.*member) + "/s"; },
          .field = field};
}

Key<PolicyConfig> Time(std::string_view name, std::string_view field, Nanos PolicyConfig::*member) {
  return {
      .name = name,
      .read = [=](std::string_view text, PolicyConfig& c) { return Store(ParseDuration(text), c.*member); },
      .write = [=](const PolicyConfig& c) { return FormatDuration(c.*member); },
      .field = field};
}

Key<PolicyConfig> Share(std::string_view name, std::string_view field, int32_t PolicyConfig::*member) {
  return {
      .name = name,
      .read = [=](std::string_view text, PolicyConfig& c) { return Store(ParsePercent(text), c.*member); },
      .write = [=](const PolicyConfig& c) { return FormatPercent(c.*member); },
      .field = field};
}

Key<GuestEntry> Limit(std::string_view name, Maybe<int64_t> policy::GuestLimits::*member) {
  return {
      .name = name,
      .read = [=](std::string_view text, GuestEntry& g) { return Store(ParseSize(text), g.limits.*member); },
      .write =
          [=](const GuestEntry& g) {
            const auto& limit = g.limits.*member;
            return limit ? FormatExactSize(*limit) : std::string();
          }};
}

}  // namespace

absl::StatusOr<LogLevel> ParseLogLevel(std::string_view text) { return ParseWord(text, kLogLevels); }

const std::vector<Key<BridgeConfig>>& BridgeKeys() {
  static const auto& keys = *new std::vector<Key<BridgeConfig>>{
      {.name = "log-level",
       .read = [](std::string_view text, BridgeConfig& c) { return Store(ParseLogLevel(text), c.log_level); },
       .write = [](const BridgeConfig& c) { return FormatWord(c.log_level, kLogLevels); }},
      Span("tick", {Milliseconds(100), Seconds(10)}, [](BridgeConfig& c) -> Nanos& { return c.tick; }),
      Span("vmm-deadline", {Milliseconds(100), Seconds(60)},
           [](BridgeConfig& c) -> Nanos& { return c.vmm_deadline; }),
      Cadence("report-quiet", {Seconds(1), Seconds(60)}, &ReportCadence::quiet),
      Cadence("report-armed", {Milliseconds(100), Seconds(10)}, &ReportCadence::armed),
      Cadence("report-pressed", {Milliseconds(20), Seconds(1)}, &ReportCadence::pressed),
      {.name = "host-root",
       .read = [](std::string_view text, BridgeConfig& c) { return ReadAbsolutePath(text, c.host_root); },
       .write = [](const BridgeConfig& c) { return c.host_root; }},
      {.name = "reclaim-hold",
       .read = [](std::string_view text,
                  BridgeConfig& c) { return ReadReclaimHold(text, c.reclaim_hold_bytes); },
       .write = [](const BridgeConfig& c) { return FormatExactSize(c.reclaim_hold_bytes); }},
      {.name = "api",
       .read = [](std::string_view text, BridgeConfig& c) { return ReadSocketPath(text, c.api); },
       .write = [](const BridgeConfig& c) { return c.api; }},
      {.name = "journal",
       .read = [](std::string_view text, BridgeConfig& c) { return ReadAbsolutePath(text, c.journal); },
       .write = [](const BridgeConfig& c) { return c.journal; }},
      {.name = "journal-max",
       .read = [](std::string_view text,
                  BridgeConfig& c) { return ReadJournalMax(text, c.journal_max_bytes); },
       .write = [](const BridgeConfig& c) { return FormatExactSize(c.journal_max_bytes); }},
  };
  return keys;
}

// The names are PolicyConfig's without their units: here the value carries the unit.
const std::vector<Key<PolicyConfig>>& PolicyKeys() {
  using P = PolicyConfig;
  static const auto& keys = *new std::vector<Key<PolicyConfig>>{
      Share("critical", "critical_permyriad", &P::critical_permyriad),
      Size("critical-min", "critical_min_bytes", &P::critical_min_bytes),
      Size("critical-max", "critical_max_bytes", &P::critical_max_bytes),
      Share("pressed", "pressed_permyriad", &P::pressed_permyriad),
      Size("pressed-min", "pressed_min_bytes", &P::pressed_min_bytes),
      Size("pressed-max", "pressed_max_bytes", &P::pressed_max_bytes),
      Time("exhaustion-horizon", "exhaustion_horizon", &P::exhaustion_horizon),
      Share("pressed-stall", "pressed_stall_permyriad", &P::pressed_stall_permyriad),
      Rate("pressed-refault-rate", "pressed_refault_bytes_per_second", &P::pressed_refault_bytes_per_second),
      Share("zram-short", "zram_short_permyriad", &P::zram_short_permyriad),
      Time("zram-horizon", "zram_horizon", &P::zram_horizon),
      Size("kernel-short", "kernel_short_bytes", &P::kernel_short_bytes),
      Time("leave-dwell", "leave_dwell", &P::leave_dwell),
      Share("idle-used", "idle_used_permyriad", &P::idle_used_permyriad),
      Time("report-max-age", "report_max_age", &P::report_max_age),
      Time("lease", "lease", &P::lease),
      Time("vmm-max-age", "vmm_max_age", &P::vmm_max_age),
      Time("host-max-age", "host_max_age", &P::host_max_age),
      Time("actuator-latency", "actuator_latency", &P::actuator_latency),
      Rate("assumed-give-rate", "assumed_give_bytes_per_second", &P::assumed_give_bytes_per_second),
      Time("resend-after", "resend_after", &P::resend_after),
      Time("request-answer-ahead", "request_answer_ahead", &P::request_answer_ahead),
      Size("self-shrink", "self_shrink_bytes", &P::self_shrink_bytes),
      Rate("stall-rate", "stall_bytes_per_second", &P::stall_bytes_per_second),
      Time("stall-time", "stall_time", &P::stall_time),
      Size("stall-slack", "stall_slack_bytes", &P::stall_slack_bytes),
      Time("first-block", "first_block", &P::first_block),
      Time("max-block", "max_block", &P::max_block),
      Size("useless-slack", "useless_slack_bytes", &P::useless_slack_bytes),
      Time("useless-after", "useless_after", &P::useless_after),
      Time("useless-block", "useless_block", &P::useless_block),
      Share("host-reserve", "host_reserve_permyriad", &P::host_reserve_permyriad),
      Size("host-reserve-min", "host_reserve_min_bytes", &P::host_reserve_min_bytes),
      Share("critical-draw", "critical_draw_permyriad", &P::critical_draw_permyriad),
      Share("host-some", "host_some_permyriad", &P::host_some_permyriad),
      Share("host-full", "host_full_permyriad", &P::host_full_permyriad),
      Share("guest-reserve", "guest_reserve_permyriad", &P::guest_reserve_permyriad),
      Size("guest-reserve-min", "guest_reserve_min_bytes", &P::guest_reserve_min_bytes),
      Size("max-step", "max_step_bytes", &P::max_step_bytes),
      Share("max-step-share", "max_step_permyriad", &P::max_step_permyriad),
      Size("dead-band", "dead_band_bytes", &P::dead_band_bytes),
      Time("inflate-cooldown", "inflate_cooldown", &P::inflate_cooldown),
      Size("alignment", "alignment_bytes", &P::alignment_bytes),
      Share("zram-donor", "zram_donor_permyriad", &P::zram_donor_permyriad),
      Share("idle-tax", "idle_tax_permyriad", &P::idle_tax_permyriad),
      Time("idle-after", "idle_after", &P::idle_after),
      Time("working-set-window", "working_set_window", &P::working_set_window),
      Time("idle-interval", "idle_interval", &P::idle_interval),
      Size("idle-probe", "idle_probe_bytes", &P::idle_probe_bytes),
      Share("idle-reserve", "idle_reserve_permyriad", &P::idle_reserve_permyriad),
      Share("idle-stall", "idle_stall_permyriad", &P::idle_stall_permyriad),
      Rate("idle-refault-rate", "idle_refault_bytes_per_second", &P::idle_refault_bytes_per_second),
      Time("idle-regret-window", "idle_regret_window", &P::idle_regret_window),
      Time("idle-max-wait", "idle_max_wait", &P::idle_max_wait),
      Time("plug-after", "plug_after", &P::plug_after),
      Time("plug-horizon", "plug_horizon", &P::plug_horizon),
      Time("plug-patience", "plug_patience", &P::plug_patience),
      Time("unplug-after", "unplug_after", &P::unplug_after),
      Time("unplug-patience", "unplug_patience", &P::unplug_patience),
  };
  return keys;
}

const std::vector<Key<GuestEntry>>& GuestKeys() {
  static const auto& keys = *new std::vector<Key<GuestEntry>>{
      {.name = "vmm",
       .read = [](std::string_view text, GuestEntry& g) { return Store(ParseWord(text, kVmms), g.vmm); },
       .write = [](const GuestEntry& g) { return FormatWord(g.vmm, kVmms); }},
      {.name = "control",
       .read = [](std::string_view text, GuestEntry& g) { return ReadSocketPath(text, g.control); },
       .write = [](const GuestEntry& g) { return g.control; },
       .required_example = "/run/vm/NAME.qmp"},
      {.name = "agent",
       .read = [](std::string_view text, GuestEntry& g) { return ReadAgent(text, g.agent); },
       .write = [](const GuestEntry& g) { return FormatAddress(g.agent); },
       .required_example = "vsock:CID:PORT"},
      {.name = "link",
       .read = [](std::string_view text, GuestEntry& g) { return Store(ParseWord(text, kLinks), g.link); },
       .write = [](const GuestEntry& g) { return FormatWord(g.link, kLinks); }},
      Limit("floor", &policy::GuestLimits::floor_bytes),
      Limit("baseline", &policy::GuestLimits::baseline_bytes),
      Limit("ceiling", &policy::GuestLimits::ceiling_bytes),
      {.name = "weight",
       .read = [](std::string_view text, GuestEntry& g) { return ReadWeight(text, g.limits.weight); },
       .write = [](const GuestEntry& g) { return StrCat(g.limits.weight); }},
      {.name = "mode",
       .read = [](std::string_view text,
                  GuestEntry& g) { return Store(ParseWord(text, kModes), g.limits.mode); },
       .write = [](const GuestEntry& g) { return FormatWord(g.limits.mode, kModes); }},
  };
  return keys;
}

const Key<PolicyConfig>* PolicyKeyOf(std::string_view field) {
  for (const auto& key : PolicyKeys()) {
    if (key.field == field) return &key;
  }
  return nullptr;
}

}  // namespace ballast::config
