// Rule 5. A pressed guest grows by what it is short of, not by a constant.
#include <algorithm>

#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {
namespace {

// A balloon that needs longer than this for what is short does not move at all; rule 4 and the resending see
// to that one.
constexpr Nanos kLongestEta = Seconds(10);

// What goes into zram, uncompressed, while it will be full some time.
int64_t SwapOutRate(const GuestReading& reading) {
  if (!reading.zram_left_bytes || !reading.zram_full_in) return 0;
  const int64_t span = std::max<int64_t>((*reading.zram_full_in).count, Milliseconds(1).count);
  return std::min(MulDiv(*reading.zram_left_bytes, 1'000'000'000, span), kLargestRate);
}

// What is missing of the free memory that keeps a guest from swapping for a while. As long as its zram fills,
// the kernel swaps beside its page cache, so that what else counts as available is none.
int64_t ShortOfFree(const View& view, const PolicyConfig& config) {
  const GuestReading& reading = *view.reading;
  if (!view.zram_fills || !reading.zram_full_in) return 0;
  const int64_t kept = Add(WithMargin(view.thresholds.pressed_available_bytes), view.zram_missing);
  return Sub(Add(kept, BytesDuring(SwapOutRate(reading), config.zram_horizon)), reading.free_bytes);
}

// Up to 5/4 of the pressed threshold, or up to `kept` where that is more.
int64_t MissingUpTo(int64_t kept, const View& view, const PolicyConfig& config) {
  const GuestReading& reading = *view.reading;
  const int64_t pressed = view.thresholds.pressed_available_bytes;
  int64_t bytes = 0;
  if (reading.available_bytes < Add(pressed, view.zram_missing)) {
    bytes = std::max(Add(WithMargin(pressed), view.zram_missing), kept) - reading.available_bytes;
  }
  bytes = std::max(bytes, ShortOfFree(view, config));
  if (view.kernel_short) {
    bytes = std::max(bytes, Sub(config.kernel_short_bytes, *reading.kernel_headroom_bytes));
  }
  return bytes;
}

// What it eats, reads back and swaps a second.
int64_t Appetite(const View& view) {
  const GuestReading& reading = *view.reading;
  return Add(
      Add(std::max<int64_t>(0, view.Consumption()), std::max<int64_t>(0, reading.refault_bytes_per_second)),
      SwapOutRate(reading));
}

// The same, and what it will have eaten before the balloon has given: the latency, and the pages themselves.
int64_t ShortOfUpTo(int64_t kept, const View& view, const PolicyConfig& config) {
  const int64_t bytes = MissingUpTo(kept, view, config);
  const Nanos pages = {MulDiv(bytes, 1'000'000'000, view.give_bytes_per_second)};
  const Nanos eta = std::min(Nanos{Add(config.actuator_latency.count, pages.count)}, kLongestEta);
  return std::max(Add(bytes, BytesDuring(Appetite(view), eta)), config.alignment_bytes);
}

// A guest that is put just above its threshold is back at it in a moment. While the host can spare it, it
// gets what rule 8 would leave it.
int64_t KeptFor(const View& view, const PolicyConfig& config) {
  return view.host_state == HostState::kHealthy ? ShareOf(view.used, config.idle_reserve_permyriad) : 0;
}

}  // namespace

int64_t ShortOf(const View& view, const PolicyConfig& config) {
  return ShortOfUpTo(KeptFor(view, config), view, config);
}

int64_t PlugShortage(const View& view, const PolicyConfig& config) {
  const int64_t eaten = BytesDuring(Appetite(view), config.plug_horizon);
  return std::max(Add(MissingUpTo(KeptFor(view, config), view, config), eaten), config.alignment_bytes);
}

int64_t DireShortage(const View& view, const PolicyConfig& config) { return ShortOfUpTo(0, view, config); }

// The shortage is measured at the present size, so it counts from actual; a standing target that is already
// lower is kept, or the lag of the balloon would let a tick weaken the one before.
std::optional<Proposal> PressedGrow(const View& view, const PolicyConfig& config) {
  // The dwell keeps the state, not the asking: only a report that says "pressed" now makes the guest grow.
  if (!view.heard || view.level < GuestState::kPressed) return std::nullopt;
  if (std::max(view.actual, view.target) <= view.least_balloon) return std::nullopt;
  const int64_t short_of = ShortOf(view, config);
  // One report is one shortage, also when the balloon has moved since; the grant only may have to be sent
  // again.
  const bool answered = view.facts->history.grown_on == Maybe(view.facts->report->at);
  const int64_t wanted = answered ? view.target : std::max<int64_t>(0, Sub(view.actual, short_of));
  Proposal proposal{{std::min(wanted, view.target)}, {view.Position()}, ReasonFor(Rule::kPressedGrow, view)};
  proposal.reason.threshold_bytes = view.thresholds.pressed_available_bytes;
  proposal.reason.wanted_bytes = short_of;
  return proposal;
}

}  // namespace ballast::policy
