// What a guest that asks for memory is answered (rule 14).
#pragma once

#include "host-bridge/policy/rules/rule.h"

namespace ballast::policy {

// Whether the guest's request may still be granted: somebody waits for it, and it asks for something.
[[nodiscard]] bool IsOpen(const GuestFacts& facts, MonotonicTime now);

// Why nothing can be done for a guest at all.
[[nodiscard]] Refusal RefusalFor(Hold::Why why);

// The answer to an open request of which `granted` bytes were given, and if that is not all, for which
// reason. Unset while it may still become more: nothing was given, the reason may pass, and there is time.
// `give_bytes_per_second` > 0.
[[nodiscard]] std::optional<Answer> AnswerTo(const GuestFacts& facts, size_t guest, int64_t granted,
                                             Refusal why, int64_t give_bytes_per_second,
                                             const PolicyConfig& config, MonotonicTime now);

}  // namespace ballast::policy
