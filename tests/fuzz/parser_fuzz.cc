// A fuzz target of one parser: BALLAST_FUZZ_HEADER declares it, BALLAST_FUZZ_CALL applies it to `text`.
// Whatever the bytes, it returns; the sanitizers watch what it reads and computes.
#include BALLAST_FUZZ_HEADER

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // A copy of exactly this size: reading past its end is then seen.
  const std::string copy(reinterpret_cast<const char*>(data), size);
  const std::string_view text = copy;
  (void)(BALLAST_FUZZ_CALL);
  return 0;
}
