// The first bytes of a connection. A verdict once final stays, however many bytes follow.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "guest-agent/service/preface_gate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ballast::agent::JudgePreface;
  using ballast::agent::PrefaceVerdict;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  PrefaceVerdict before = PrefaceVerdict::kWait;
  for (size_t length = 1; length <= bytes.size() && length <= 64; ++length) {
    const PrefaceVerdict verdict = JudgePreface(std::string_view(bytes).substr(0, length));
    if (before != PrefaceVerdict::kWait && verdict != before) std::abort();
    before = verdict;
  }
  return 0;
}
