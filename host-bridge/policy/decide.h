// The decision. Pure and total: same bytes in, same bytes out; never reads, logs, sleeps, throws or asks the
// time.
#pragma once

#include <memory>

#include "host-bridge/policy/outcome.h"
#include "host-bridge/policy/policy_config.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::policy {

// What to do now. Live control, replay and simulation call this one function. Bad input gives a Hold, not a
// guess.
[[nodiscard]] Outcome Decide(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now);

// The same decision again and again without allocating: keeps the memory of the last one, and nothing of what
// it said.
class Decider {
 public:
  Decider();
  ~Decider();
  Decider(Decider&&) noexcept;
  Decider& operator=(Decider&&) noexcept;

  // The outcome is valid, and the caller may take things out of it, until the next call.
  [[nodiscard]] Outcome& Decide(const Snapshot& snapshot, const PolicyConfig& config, MonotonicTime now);

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

// The thresholds for MemAvailable that a guest with this much usable memory is judged by: MemTotal, less the
// balloon where deflate-on-oom keeps it in there. The agent is sent the same numbers and works them out in
// the same way, so that it speaks up exactly when Decide would act.
struct GuestThresholds {
  int64_t armed_available_bytes = 0;
  int64_t pressed_available_bytes = 0;
  int64_t critical_available_bytes = 0;
};
[[nodiscard]] GuestThresholds ThresholdsFor(int64_t usable_bytes, const PolicyConfig& config);

// A guest that has eaten what is available within this time may be given something for that alone; one that
// has not is not.
[[nodiscard]] Nanos LongestHorizon(const PolicyConfig& config);

// One sentence for people: what, from where to where, and why. Built from the decision's own data alone.
[[nodiscard]] std::string Explain(const Decision& decision, const std::string& guest_name);
[[nodiscard]] std::string Explain(const PlugDecision& plug, const std::string& guest_name);
[[nodiscard]] std::string Explain(const Hold& hold, const std::string& guest_name);
[[nodiscard]] std::string Explain(const Answer& answer, const std::string& guest_name);
// The reason alone, as it is told to the asker; empty for kNone.
[[nodiscard]] const char* Explain(Refusal why);

}  // namespace ballast::policy
