#include "guest-agent/blocks/keeper_wait.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

namespace ballast::agent {
namespace {

constexpr Nanos kPause = Milliseconds(20);

}  // namespace

absl::Status KeeperWait::Open() {
  wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  return wake_.IsOpen() ? absl::OkStatus() : ErrnoStatus(errno, "eventfd");
}

void KeeperWait::Wake() {
  const uint64_t one = 1;
  if (wake_.IsOpen()) [[maybe_unused]]
    const ssize_t n = ::write(wake_.Get(), &one, sizeof one);
}

void KeeperWait::Wait(const std::optional<Nanos>& limit, int events, bool gather) {
  std::array<pollfd, 2> polled{{{wake_.Get(), POLLIN, 0}, {events, POLLIN, 0}}};
  timespec timeout{};
  if (limit) {
    const int64_t wait_ns = std::max<int64_t>(limit->count, 0);
    timeout = {wait_ns / kNanosPerSecond, wait_ns % kNanosPerSecond};
  }
  if (::ppoll(polled.data(), polled.size(), limit ? &timeout : nullptr, nullptr) <= 0) return;
  if ((polled[1].revents & POLLIN) != 0 && gather) {
    const timespec pause{0, kPause.count};
    (void)::ppoll(polled.data(), 1, &pause, nullptr);
  }
  uint64_t count = 0;
  if ((polled[0].revents & POLLIN) != 0) {
    [[maybe_unused]] const ssize_t n = ::read(wake_.Get(), &count, sizeof count);
  }
}

}  // namespace ballast::agent
