// Kernel log records, one a line: names in them are whatever a process calls itself.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/kernel/oom_log_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string log(reinterpret_cast<const char*>(data), size);
  std::string_view rest = log;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string line(rest.substr(0, end));
    if (const auto record = ballast::kernel::ParseKmsgRecord(line); record.ok()) {
      (void)ballast::kernel::ParseOomLine(*record);
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return 0;
}
