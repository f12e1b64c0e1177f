// What sysfs says of memory blocks; the first byte says which of its files the others are.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/kernel/memory_block_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  using namespace ballast::kernel;
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  switch (data[0] % 5) {
    case 0:
      (void)ParseBlockState(text);
      break;
    case 1:
      (void)ParseValidZones(text);
      break;
    case 2: {
      const auto bytes = ParseBlockSize(text);
      if (bytes.ok() && (*bytes < kMinBlockSize || *bytes > kMaxBlockSize)) std::abort();
      break;
    }
    case 3:
      (void)ParseAutoOnline(text);
      break;
    default: {
      const auto number = BlockNumberOf(text);
      if (number && (*number < 0 || *number > kMaxBlockNumber)) std::abort();
    }
  }
  return 0;
}
