#include "guest-agent/blocks/uevent_socket.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace ballast::agent {
namespace {

constexpr unsigned kKernelsGroup = 1;  // 2 is what udev says after it has done its part
// Thousands of events: they come faster than blocks come online. Taken only while they wait.
constexpr int kBufferBytes = 4 << 20;
constexpr size_t kMaxEvent = 2048;  // the kernel's own bound
constexpr int kMaxForeign = 1024;   // passed over at a time, so that a storm of others starves nobody

}  // namespace

absl::StatusOr<UeventSocket> UeventSocket::Open() {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
  if (!fd.IsOpen()) return ErrnoStatus(errno, "a netlink socket for the kernel's device events");
  // Beyond the limit for ordinary sockets where that is allowed; a smaller buffer only means more searches.
  if (::setsockopt(fd.Get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBufferBytes, sizeof kBufferBytes) != 0) {
    (void)::setsockopt(fd.Get(), SOL_SOCKET, SO_RCVBUF, &kBufferBytes, sizeof kBufferBytes);
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kKernelsGroup;
  if (::bind(fd.Get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return ErrnoStatus(errno, "listening for the kernel's device events");
  }
  return UeventSocket(std::move(fd));
}

UeventSource::News UeventSocket::Take() {
  for (int passed_over = 0; passed_over < kMaxForeign; ++passed_over) {
    std::array<char, kMaxEvent> bytes;
    sockaddr_nl sender{};
    iovec part{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t n = ::recvmsg(fd_.Get(), &message, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {errno == ENOBUFS ? Kind::kLost : Kind::kNothing, {}};
    if (sender.nl_pid != 0 || (message.msg_flags & MSG_TRUNC) != 0) continue;
    const auto event = kernel::ParseBlockUevent({bytes.data(), static_cast<size_t>(n)});
    if (event) return {Kind::kBlock, *event};
  }
  return {};
}

}  // namespace ballast::agent
