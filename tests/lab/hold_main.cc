// lab-hold: boots one guest, says where it is, and keeps it until Ctrl-C. For experiments by hand, and for
// the test that kills it.
//
//   lab-hold [MEMORY_MIB]
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "common/os/stop_signal.h"
#include "tests/lab/guest.h"

int main(int argc, char** argv) {
  using ballast::lab::Guest;
  const auto stop = ballast::CatchStopSignals();
  if (!stop.ok()) return 1;
  ballast::lab::GuestOptions options{.name = "hold"};
  if (argc > 1) options.memory_mib = std::strtoll(argv[1], nullptr, 10);
  const auto guest = Guest::Boot(options);
  if (!guest.ok()) {
    std::fprintf(stderr, "lab-hold: %s\n", guest.status().ToString().c_str());
    return 1;
  }
  std::printf("qemu %d\nvsock %d\ndirectory %s\nmonitor %s\nagent %s\nheld\n", (*guest)->pid(),
              (*guest)->vsock_pid(), (*guest)->directory().c_str(), (*guest)->bridge_qmp_path().c_str(),
              (*guest)->AgentAddress().c_str());
  std::fflush(stdout);
  ballast::WaitForStop(*stop);
  return 0;
}
