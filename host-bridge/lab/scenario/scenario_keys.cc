#include "host-bridge/lab/scenario/scenario_keys.h"

#include <utility>

#include "host-bridge/lab/scenario/parameter.h"

namespace ballast::sim {
namespace {

constexpr int64_t kTiB = 1024 * kGiB;
constexpr Nanos kDay = Seconds(24 * 3600);

TextForm<std::string> PlainText() {
  return {.parse = [](std::string_view text) -> absl::StatusOr<std::string> {
            if (text.empty()) return absl::InvalidArgumentError("is empty; write some words");
            return std::string(text);
          },
          .format = [](const std::string& text) { return text; }};
}

template <typename T>
TextForm<std::optional<T>> Optional(TextForm<T> text) {
  return {.parse = [text](std::string_view value) -> absl::StatusOr<std::optional<T>> {
            const auto parsed = text.parse(value);
            if (!parsed.ok()) return parsed.status();
            return std::optional<T>(*parsed);
          },
          .format = [text](const std::optional<T>& value) { return value ? text.format(*value) : ""; }};
}

template <typename T>
config::Key<T> Required(config::Key<T> key, std::string_view example) {
  key.required_example = example;
  return key;
}

// A key of the bridge's own [guest NAME], which sets a limit.
config::Key<GuestGroup> LimitKey(const config::Key<config::GuestEntry>& key) {
  return {.name = key.name,
          .read = [read = key.read](std::string_view text, GuestGroup& group) -> absl::Status {
            config::GuestEntry entry;
            entry.limits = std::move(group.limits);
            const absl::Status status = read(text, entry);
            group.limits = std::move(entry.limits);
            return status;
          },
          .write =
              [write = key.write](const GuestGroup& group) {
                config::GuestEntry entry;
                entry.limits = group.limits;
                return write(entry);
              }};
}

template <typename T>
config::Key<GuestGroup> DeviceKey(std::string_view name, T DeviceSpec::*member, TextForm<T> text) {
  const config::Key<DeviceSpec> key = Parameter(name, member, std::move(text));
  return {.name = name,
          .read = [read = key.read](std::string_view value,
                                    GuestGroup& group) { return read(value, group.device); },
          .write = [write = key.write](const GuestGroup& group) { return write(group.device); }};
}

std::vector<config::Key<GuestGroup>> MakeGroupKeys() {
  using G = GuestGroup;
  std::vector<config::Key<G>> keys{
      Parameter("count", &G::count, CountText(1, 10'000)),
      Required(Parameter("boot", &G::boot_bytes, SizeText(128 * kMiB, kTiB)), "2GiB"),
      Parameter("zram", &G::zram_bytes, AnySize()),
      Parameter("swaps-early", &G::swaps_early_permyriad, AnyShare()),
      Parameter("starts", &G::starts, AnyTime()),
      DeviceKey("take-speed", &DeviceSpec::take_bytes_per_second, SpeedText(kMiB, kTiB)),
      DeviceKey("give-speed", &DeviceSpec::give_bytes_per_second, SpeedText(kMiB, kTiB)),
      DeviceKey("returns-nothing", &DeviceSpec::returns_nothing, YesNoText()),
      DeviceKey("plug", &DeviceSpec::plug_bytes, AnySize()),
      DeviceKey("plug-latency", &DeviceSpec::plug_latency, TimeText({}, Seconds(60))),
      DeviceKey("online-speed", &DeviceSpec::online_bytes_per_second, SpeedText(kMiB, kTiB)),
      DeviceKey("offline-speed", &DeviceSpec::offline_bytes_per_second, SpeedText(kMiB, kTiB)),
      DeviceKey("plug-refused", &DeviceSpec::plug_refused_permyriad, AnyShare()),
      DeviceKey("plug-stays", &DeviceSpec::plug_stays_permyriad, AnyShare()),
  };
  for (const auto& key : config::GuestKeys()) {
    const bool is_limit = key.name == "floor" || key.name == "baseline" || key.name == "ceiling" ||
                          key.name == "weight" || key.name == "mode";
    if (is_limit) keys.push_back(LimitKey(key));
  }
  return keys;
}

}  // namespace

const std::vector<config::Key<ScenarioSpec>>& HeadKeys() {
  using S = ScenarioSpec;
  static const auto& keys = *new std::vector<config::Key<S>>{
      Required(Parameter("title", &S::title, PlainText()), "One sentence"),
      Required(Parameter("length", &S::length, TimeText(Seconds(1), kDay * 400)), "24h"),
      Parameter("density", &S::density, YesNoText()),
  };
  return keys;
}

const std::vector<config::Key<HostPlan>>& HostKeys() {
  using H = HostPlan;
  static const auto& keys = *new std::vector<config::Key<H>>{
      Required(Parameter("total", &H::total_bytes, SizeText(kGiB, 64 * kTiB)), "32GiB"),
      Parameter("others", &H::others_bytes, AnySize()),
      Parameter("swap", &H::swap_bytes, AnySize()),
      Parameter("vmm-overhead", &H::vmm_overhead_bytes, SizeText(0, kGiB)),
  };
  return keys;
}

const std::vector<config::Key<GuestGroup>>& GroupKeys() {
  static const auto& keys = *new std::vector<config::Key<GuestGroup>>(MakeGroupKeys());
  return keys;
}

const std::vector<config::Key<EventDraft>>& EventKeys() {
  using E = EventDraft;
  static const auto& keys = *new std::vector<config::Key<E>>{
      Required(Parameter("guest", &E::guest, PlainText()), "NAME, NAME-2 or host"),
      Required(Parameter("kind", &E::kind, PlainText()), "agent-silent"),
      Required(Parameter("at", &E::at, AnyTime()), "10min"),
      Parameter("length", &E::length, SomeTime()),
      Parameter("every", &E::every, Optional(TimeText(Seconds(1), kDay * 400))),
      Parameter("over", &E::over, AnyTime()),
      Parameter("value", &E::value, Optional(AnySize())),
  };
  return keys;
}

const std::vector<GuestEventWord>& GuestEventWords() {
  using Kind = GuestEvent::Kind;
  static const auto& words = *new std::vector<GuestEventWord>{
      {"pause", Kind::kPause, true, false},
      {"reset", Kind::kReset, false, false},
      {"agent-silent", Kind::kAgentSilent, true, false},
      {"agent-lies", Kind::kAgentLies, true, true},
      {"stats-sentinel", Kind::kStatsSentinel, true, false},
      {"vmm-silent", Kind::kVmmSilent, true, false},
      {"balloon-stuck", Kind::kBalloonStuck, true, false},
      {"balloon-partial", Kind::kBalloonPartial, true, false},
  };
  return words;
}

const std::vector<HostEventWord>& HostEventWords() {
  static const auto& words = *new std::vector<HostEventWord>{
      {"sleep", HostEvent::Kind::kSleep, false},
      {"pressure", HostEvent::Kind::kPressure, true},
  };
  return words;
}

}  // namespace ballast::sim
