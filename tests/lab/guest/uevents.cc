// lab-guest uevents --seconds S: the kernel's events of memory blocks as they come, one line each:
// microseconds of CLOCK_MONOTONIC, the action, the block's number.
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string>

#include "tests/lab/guest/lab_guest.h"

namespace ballast::lab::guest {
namespace {

int64_t NowUs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

int Uevents(const Options& options) {
  const int64_t end = NowMs() + options.Number("seconds", 10) * 1000;
  const int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1;
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 1;
  // Before all others, so that the time is the event's and not that of its turn.
  const sched_param first{.sched_priority = 50};
  (void)sched_setscheduler(0, SCHED_FIFO, &first);
  std::string lines;
  while (NowMs() < end) {
    pollfd polled{fd, POLLIN, 0};
    if (poll(&polled, 1, 100) <= 0) continue;
    std::array<char, 4096> event{};
    const ssize_t n = recv(fd, event.data(), event.size() - 1, 0);
    const int64_t now = NowUs();
    const char* const at = n > 0 ? std::strchr(event.data(), '@') : nullptr;
    constexpr char kPath[] = "@/devices/system/memory/memory";
    if (at == nullptr || std::strncmp(at, kPath, sizeof kPath - 1) != 0) continue;
    lines += std::to_string(now) + " " + std::string(event.data(), static_cast<size_t>(at - event.data())) +
             " " + (at + sizeof kPath - 1) + "\n";
  }
  std::fputs(lines.c_str(), stdout);
  return 0;
}

}  // namespace ballast::lab::guest
