// The files of a zram device; the first byte says which.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/kernel/zram_parser.h"
#include "guest-agent/act/zram_state_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      (void)ballast::kernel::ParseZramMemory(text);
      break;
    case 1:
      (void)ballast::kernel::ParseZramIo(text);
      break;
    case 2:
      (void)ballast::kernel::ParseZramWrittenBack(text);
      break;
    case 3:
      (void)ballast::kernel::ParseZramAlgorithm(text);
      (void)ballast::agent::ParseAlgorithms(text);
      break;
    case 4:
      (void)ballast::agent::ParseRecompressors(text);
      break;
    case 5:
      (void)ballast::agent::FindSwap(text, "zram0");
      break;
  }
  return 0;
}
