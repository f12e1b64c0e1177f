// Any JSON as what a monitor says.
#include <boost/json.hpp>
#include <cstdint>
#include <string_view>

#include "host-bridge/vmm/qmp/qmp_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace qmp = ballast::vmm::qmp;
  boost::system::error_code error;
  const boost::json::value value =
      boost::json::parse(std::string_view(reinterpret_cast<const char*>(data), size), error);
  if (error) return 0;
  (void)qmp::ParseMessage(value);
  (void)qmp::ParseBalloon(value);
  (void)qmp::ParseRunning(value);
  (void)qmp::ParseBootMemory(value);
  (void)qmp::ParsePluggedMemory(value);
  (void)qmp::ParseKvmEnabled(value);
  (void)qmp::ParseMemoryDevices(value);
  (void)qmp::ParseMemoryLimits(value);
  (void)qmp::ParseBackends(value);
  (void)qmp::ParseLink(value);
  (void)qmp::ParseSwitch(value);
  (void)qmp::ParseSize(value);
  if (const auto answer = qmp::ParseGuestAnswer(value); answer.ok()) {
    (void)qmp::VerdictOf(*answer);
    (void)qmp::TextOf(*answer);
  }
  (void)qmp::ParseGuestAnswers(value);
  (void)qmp::ParseSizeChange(value);
  (void)qmp::ParseDeviceNews(value);
  (void)qmp::ParseBalloonPath(value, "/machine/peripheral");
  (void)qmp::ParseGuestStats(value);
  return 0;
}
