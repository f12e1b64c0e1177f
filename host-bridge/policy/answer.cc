#include "host-bridge/policy/answer.h"

#include <algorithm>

#include "common/base/size_text.h"
#include "host-bridge/policy/arithmetic.h"

namespace ballast::policy {
namespace {

// The host may get memory back, a VMM or an agent may be heard again; the others stay as they are.
bool MayPass(Refusal why) {
  return why == Refusal::kHostShort || why == Refusal::kHostUnknown || why == Refusal::kUnmanaged ||
         why == Refusal::kNotHeard;
}

}  // namespace

bool IsOpen(const GuestFacts& facts, MonotonicTime now) {
  return facts.request && facts.request->bytes > 0 && facts.request->deadline > now;
}

Refusal RefusalFor(Hold::Why why) {
  switch (why) {
    case Hold::Why::kNoVmm:
    case Hold::Why::kNotRunning:
    case Hold::Why::kBadLimits:
      return Refusal::kUnmanaged;
    case Hold::Why::kPlugStuck:
    case Hold::Why::kNoPlugRoom:
      return Refusal::kNothingTaken;
    case Hold::Why::kNoReport:
    case Hold::Why::kStaleReport:
    case Hold::Why::kBadReading:
      return Refusal::kNotHeard;
  }
  return Refusal::kUnmanaged;
}

std::optional<Answer> AnswerTo(const GuestFacts& facts, size_t guest, int64_t granted, Refusal why,
                               int64_t give_bytes_per_second, const PolicyConfig& config, MonotonicTime now) {
  const MemoryRequest& request = *facts.request;
  const Nanos left = Elapsed(now, request.deadline);
  if (granted <= 0 && MayPass(why) && left > config.request_answer_ahead) return std::nullopt;
  Answer answer{.guest = guest, .request = request.id};
  answer.granted_bytes = std::clamp<int64_t>(granted, 0, request.bytes);
  if (answer.granted_bytes < request.bytes) answer.why = why;
  if (answer.granted_bytes > 0) {
    const int64_t pages = MulDiv(answer.granted_bytes, 1'000'000'000, give_bytes_per_second);
    answer.eta = {Add(config.actuator_latency.count, pages)};
  }
  return answer;
}

const char* Explain(Refusal why) {
  switch (why) {
    case Refusal::kNone:
      return "";
    case Refusal::kUnmanaged:
      return "the guest is not managed at present: its VMM does not answer, or its limits contradict one "
             "another";
    case Refusal::kNotHeard:
      return "the agent's reports are missing, too old or not believed";
    case Refusal::kNotActing:
      return "nothing is done for this guest: its mode is observe or off";
    case Refusal::kHostUnknown:
      return "the host's own memory cannot be read at present";
    case Refusal::kHostShort:
      return "the host has no more to spare";
    case Refusal::kNothingTaken:
      return "nothing more is taken from this guest: it has what its ceiling allows";
  }
  return "";
}

std::string Explain(const Answer& answer, const std::string& guest_name) {
  std::string text = guest_name + ": request " + std::to_string(answer.request) + " for memory: granted " +
                     FormatSize(answer.granted_bytes);
  if (answer.granted_bytes > 0)
    text += ", all there within " + std::to_string(answer.eta.count / 1'000'000) + " ms";
  return answer.why == Refusal::kNone ? text : text + "; " + Explain(answer.why);
}

}  // namespace ballast::policy
