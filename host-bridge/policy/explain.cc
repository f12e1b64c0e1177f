// The one place where a decision becomes a sentence; log, status and replay all show this one.
#include <string>

#include "common/base/size_text.h"
#include "host-bridge/policy/arithmetic.h"
#include "host-bridge/policy/decide.h"

namespace ballast::policy {
namespace {

const char* NameOf(HostState state) {
  switch (state) {
    case HostState::kUnknown:
      return "unknown";
    case HostState::kHealthy:
      return "healthy";
    case HostState::kPressure:
      return "under pressure";
    case HostState::kCritical:
      return "critically short";
  }
  return "unknown";
}

// One decimal is enough for people; written by hand because printf would follow the locale.
std::string Tenths(int64_t value, int64_t per_unit) {
  const int64_t tenths = value / per_unit * 10 + value % per_unit * 10 / per_unit;
  const std::string sign = tenths < 0 ? "-" : "";
  const std::string digits = std::to_string(tenths < 0 ? -tenths : tenths);
  const std::string padded = digits.size() < 2 ? "0" + digits : digits;
  return sign + padded.substr(0, padded.size() - 1) + "." + padded.back();
}

std::string SecondsText(Nanos span) { return Tenths(span.count, 1'000'000'000) + " s"; }

std::string Shortage(const Reason& reason) {
  std::string text = FormatSize(reason.available_bytes) + " available";
  if (reason.threshold_bytes > 0) text += ", limit " + FormatSize(reason.threshold_bytes);
  if (reason.consumption_bytes_per_second > 0) {
    text += ", falling by " + FormatSize(reason.consumption_bytes_per_second) + "/s";
  }
  if (reason.stall_permyriad > 0) text += ", tasks stalled " + Tenths(reason.stall_permyriad, 100) + " %";
  if (reason.zram_left_bytes) text += ", its zram takes " + FormatSize(*reason.zram_left_bytes) + " more";
  if (reason.kernel_headroom_bytes) {
    const int64_t headroom = *reason.kernel_headroom_bytes;
    text += ", its kernel's zones are " + FormatSize(headroom < 0 ? Sub(0, headroom) : headroom) +
            (headroom < 0 ? " below" : " above") + " their low watermarks";
  }
  return text;
}

// A taking is compared with what the guest must keep, an undone step with nothing.
std::string IdleCause(const Reason& reason) {
  if (reason.threshold_bytes > 0) {
    return "the guest has not used it lately (" + FormatSize(reason.available_bytes) + " available)";
  }
  return "taking it made the guest suffer (" + Shortage(reason) + ")";
}

// The same for rule 10, which may also no longer ask for what it does not get.
std::string UnplugCause(const Reason& reason) {
  if (reason.threshold_bytes > 0)
    return "the guest has not needed it for long (" + FormatSize(reason.available_bytes) + " available)";
  if (reason.wanted_bytes == 0) return "the guest does not let it go";
  return "unplugging it made the guest suffer (" + Shortage(reason) + ")";
}

std::string Cause(const Reason& reason) {
  switch (reason.rule) {
    case Rule::kCriticalRelease:
      return "the guest is critical (" + Shortage(reason) + ")";
    case Rule::kSilentGuest:
      return "the guest has been silent for " + SecondsText(reason.age);
    case Rule::kBalloonShrankByItself:
      return "its balloon shrank by itself, the guest was out of memory (" + Shortage(reason) + ")";
    case Rule::kStalledBalloon:
      return "its balloon no longer fills; the target follows it";
    case Rule::kPressedGrow:
      return "the guest is pressed (" + Shortage(reason) + "; short of " + FormatSize(reason.wanted_bytes) +
             ")";
    case Rule::kOperatorHold:
      return "the operator wants memory kept reclaimed and " + FormatSize(reason.wanted_bytes) +
             " of it are missing; the guest has " + FormatSize(reason.available_bytes) + " available";
    case Rule::kIdleGuest:
      return IdleCause(reason);
    case Rule::kPlug:
      return "the guest needs more than its balloon can give back (" + Shortage(reason) + "; short of " +
             FormatSize(reason.wanted_bytes) + ")";
    case Rule::kUnplug:
      return UnplugCause(reason);
    case Rule::kUselessBalloon:
      return "the host did not get back what the balloon had taken";
    case Rule::kHostPressure:
      return std::string("the host is ") + NameOf(reason.host_state) + " and " +
             FormatSize(reason.wanted_bytes) + " are needed; the guest has " +
             FormatSize(reason.available_bytes) + " available";
    case Rule::kRestartedGuest:
      return "the guest started anew and the balloon's target survived that";
    case Rule::kMemoryRequest:
      return "a tool in the guest asks for " + FormatSize(reason.wanted_bytes) + " (" + Shortage(reason) +
             ")";
    case Rule::kNone:
    case Rule::kClamp:
      break;
  }
  return "of the limits";
}

std::string Movement(const Decision& decision) {
  const int64_t from = decision.from.count;
  const int64_t target = decision.target.count;
  const std::string balloon = "balloon " + FormatSize(from) + " -> " + FormatSize(target);
  if (from == target) return "asks again for " + balloon;
  return (target < from ? "gives " + FormatSize(Sub(from, target))
                        : "takes " + FormatSize(Sub(target, from))) +
         ", " + balloon;
}

std::string Movement(const PlugDecision& plug) {
  const std::string plugged = "plugged " + FormatSize(plug.from) + " -> " + FormatSize(plug.target);
  if (plug.from == plug.target) return "asks again for " + plugged;
  return (plug.target > plug.from ? "plugs " + FormatSize(Sub(plug.target, plug.from))
                                  : "unplugs " + FormatSize(Sub(plug.from, plug.target))) +
         ", " + plugged;
}

template <typename D>
std::string ExplainStep(const D& decision, const std::string& guest_name) {
  std::string text = guest_name + ": " + (decision.act ? "" : "would act: ") + Movement(decision) +
                     ", because " + Cause(decision.reason) + " [rule " +
                     std::to_string(static_cast<int>(decision.reason.rule));
  if (decision.reason.clamped) text += ", clamped";
  return text + "]";
}

}  // namespace

std::string Explain(const Decision& decision, const std::string& guest_name) {
  return ExplainStep(decision, guest_name);
}

std::string Explain(const PlugDecision& plug, const std::string& guest_name) {
  return ExplainStep(plug, guest_name);
}

std::string Explain(const Hold& hold, const std::string& guest_name) {
  const std::string nothing = guest_name + ": nothing done, ";
  switch (hold.why) {
    case Hold::Why::kNoVmm:
      return nothing + "no fresh reading from its VMM";
    case Hold::Why::kNotRunning:
      return nothing + "it is not running";
    case Hold::Why::kNoReport:
      return nothing + "its agent has not been heard";
    case Hold::Why::kStaleReport:
      return nothing + "its agent's last report is too old";
    case Hold::Why::kBadReading:
      return nothing + "its readings contradict one another";
    case Hold::Why::kBadLimits:
      return nothing + "its limits contradict one another";
    case Hold::Why::kPlugStuck:
      return nothing + "what was plugged into it has not come into use";
    case Hold::Why::kNoPlugRoom:
      return nothing + "it needs more memory, and its kernel has no room for the metadata of more";
  }
  return nothing + "for an unknown reason";
}

}  // namespace ballast::policy
