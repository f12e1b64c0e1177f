#include "tests/lab/stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <variant>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/transport/socket.h"

namespace ballast::lab {
namespace {

absl::StatusOr<UniqueFd> StartConnect(const Address& address) {
  if (const auto* vsock = std::get_if<VsockAddress>(&address))
    return StartConnectVsock(vsock->cid, vsock->port);
  if (const auto* hybrid = std::get_if<HybridAddress>(&address)) return StartConnectUnix(hybrid->path);
  return StartConnectUnix(std::get<UnixAddress>(address).path);
}

}  // namespace

absl::StatusOr<Stream> Stream::Connect(const Address& address, absl::Time deadline) {
  absl::StatusOr<UniqueFd> fd = StartConnect(address);
  if (!fd.ok()) return fd.status();
  Stream stream(std::move(*fd));
  if (absl::Status ready = stream.Await(POLLOUT, deadline); !ready.ok()) return ready;
  if (absl::Status connected = SocketError(stream.fd_.Get()); !connected.ok()) return connected;
  if (const auto* hybrid = std::get_if<HybridAddress>(&address)) {
    if (absl::Status opened = stream.OpenGuestPort(hybrid->port, deadline); !opened.ok()) return opened;
  }
  return stream;
}

absl::Status Stream::OpenGuestPort(uint32_t port, absl::Time deadline) {
  if (absl::Status sent = Write(StrCat("CONNECT ", port, "\n"), deadline); !sent.ok()) return sent;
  const absl::StatusOr<std::string> answer = ReadLine(deadline);
  if (!answer.ok()) return answer.status();
  if (!answer->starts_with("OK ")) {
    return absl::UnavailableError(StrCat("guest port ", port, ": the VMM said '", *answer, "'"));
  }
  return absl::OkStatus();
}

absl::Status Stream::Await(short events, absl::Time deadline) const {
  pollfd watched{.fd = fd_.Get(), .events = events, .revents = 0};
  while (true) {
    const int64_t left_ms =
        std::clamp<int64_t>(absl::ToInt64Milliseconds(deadline - absl::Now()), 0, 1'000'000);
    const int ready = poll(&watched, 1, static_cast<int>(left_ms));
    if (ready > 0) return absl::OkStatus();
    if (ready == 0) return absl::DeadlineExceededError("no answer in time");
    if (errno != EINTR) return ErrnoStatus(errno, "poll");
  }
}

absl::Status Stream::Write(std::string_view bytes, absl::Time deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.Get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (absl::Status ready = Await(POLLOUT, deadline); !ready.ok()) return ready;
    } else if (errno != EINTR) {
      return ErrnoStatus(errno, "send");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Stream::ReadSome(absl::Time deadline) {
  if (!unread_.empty()) return std::exchange(unread_, std::string());
  std::string buffer(16 * 1024, '\0');
  while (true) {
    const ssize_t got = recv(fd_.Get(), buffer.data(), buffer.size(), 0);
    if (got >= 0) {
      buffer.resize(static_cast<size_t>(got));
      return buffer;
    }
    if (errno == EAGAIN) {
      if (absl::Status ready = Await(POLLIN, deadline); !ready.ok()) return ready;
    } else if (errno != EINTR) {
      return ErrnoStatus(errno, "recv");
    }
  }
}

absl::StatusOr<std::string> Stream::ReadLine(absl::Time deadline) {
  std::string gathered;
  while (true) {
    absl::StatusOr<std::string> more = ReadSome(deadline);
    if (!more.ok()) {
      unread_ = gathered;
      return more.status();
    }
    if (more->empty()) return absl::UnavailableError("the peer closed the connection");
    gathered += *more;
    const size_t end = gathered.find('\n');
    if (end == std::string::npos) continue;
    unread_ = gathered.substr(end + 1);
    gathered.resize(end);
    return gathered;
  }
}

}  // namespace ballast::lab
