// What a guest may say to its host: any bytes as a Report. It is rejected, or the reading keeps its promises.
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "host-bridge/observe/convert_report.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ballast::guest::v1::Report report;
  if (!report.ParseFromArray(data, static_cast<int>(size))) return 0;
  ballast::observe::ReportContext context;
  context.received_at = {int64_t{1} << 40};
  std::optional<ballast::observe::ReportMemory> memory;
  for (int again = 0; again < 2; ++again) {
    const auto converted = ballast::observe::ConvertReport(report, context, memory);
    if (!converted.ok()) return 0;
    const auto& reading = converted->reading;
    if (reading.available_bytes < 0 || reading.available_bytes > reading.total_bytes ||
        reading.free_bytes < 0 || reading.free_bytes > reading.total_bytes) {
      std::abort();
    }
    memory = converted->memory;
  }
  return 0;
}
