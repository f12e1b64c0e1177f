// calibration-table RECORDING...: what real guests did beside what the simulator makes of the same stories.
#include <cstdio>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "tests/host-bridge/lab/calibration/comparison.h"
#include "tests/host-bridge/lab/calibration/recordings.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: calibration-table RECORDING...\n");
    return 64;
  }
  const auto recordings =
      ballast::calibration::ReadRecordings(std::vector<std::string>(argv + 1, argv + argc));
  if (!recordings.ok()) {
    std::fprintf(stderr, "calibration-table: %s\n", ballast::MessageOf(recordings.status()).c_str());
    return 1;
  }
  std::printf("%s", ballast::calibration::ReportOf(*recordings).c_str());
  return 0;
}
