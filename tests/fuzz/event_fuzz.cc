// What a guest may tell its host as it happens: any bytes as an Event.
#include <cstddef>
#include <cstdint>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "host-bridge/observe/convert_event.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ballast::guest::v1::Event event;
  if (!event.ParseFromArray(data, static_cast<int>(size))) return 0;
  ballast::observe::ReportContext context;
  context.received_at = {int64_t{1} << 40};
  if (event.has_oom_verdict()) (void)ballast::observe::ConvertVerdict(event.oom_verdict(), context);
  if (event.has_memory_request()) (void)ballast::observe::ConvertRequest(event, context);
  return 0;
}
