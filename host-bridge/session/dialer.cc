#include "host-bridge/session/dialer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <limits>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "common/transport/socket.h"

namespace ballast::session {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

// The longest answer to CONNECT: "OK 4294967295\n" is 14 bytes; every VMM's limit for the line is 32.
constexpr size_t kMaxAnswer = 32;
// A VMM connects on its event loop: a full backlog would stall the VM's devices.
constexpr int kBacklog = 64;

// Hands `fd` to Asio; on failure it stays with its owner.
absl::Status Watch(Descriptor& descriptor, UniqueFd& fd) {
  boost::system::error_code error;
  descriptor.assign(fd.Get(), error);
  if (error) return absl::ResourceExhaustedError(StrCat("cannot watch a descriptor: ", error.message()));
  [[maybe_unused]] const int given = fd.Release();
  return absl::OkStatus();
}

Task<absl::StatusOr<UniqueFd>> FinishConnect(UniqueFd fd, Nanos deadline) {
  Descriptor descriptor(co_await asio::this_coro::executor);
  absl::Status watched = Watch(descriptor, fd);
  if (!watched.ok()) co_return watched;
  absl::Status ready = co_await AwaitReady(descriptor, Readiness::kWritable, deadline);
  if (!ready.ok()) co_return ready;
  absl::Status connected = SocketError(descriptor.native_handle());
  if (!connected.ok()) co_return connected;
  co_return UniqueFd(descriptor.release());
}

// One byte, or why not. The answer must be read byte by byte: what follows its newline belongs to HTTP/2.
Task<absl::StatusOr<char>> ReadByte(Descriptor& descriptor, Nanos deadline) {
  while (true) {
    char byte = 0;
    const ssize_t n = ::recv(descriptor.native_handle(), &byte, 1, 0);
    if (n == 1) co_return byte;
    if (n == 0) co_return absl::UnavailableError("the connection was closed");
    if (errno != EAGAIN && errno != EINTR) co_return ErrnoStatus(errno, "recv");
    absl::Status ready = co_await AwaitReady(descriptor, Readiness::kReadable, deadline);
    if (!ready.ok()) co_return ready;
  }
}

Task<absl::Status> AskForPort(Descriptor& descriptor, uint32_t port, Nanos deadline) {
  // One write, and nothing more before the answer: VMMs drop split requests and early bytes.
  const std::string request = StrCat("CONNECT ", port, "\n");
  const ssize_t sent = ::send(descriptor.native_handle(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent < 0) co_return ErrnoStatus(errno, "CONNECT");
  if (static_cast<size_t>(sent) != request.size()) co_return absl::UnavailableError("CONNECT was cut short");
  std::string answer;
  while (answer.size() < kMaxAnswer && !answer.ends_with('\n')) {
    absl::StatusOr<char> byte = co_await ReadByte(descriptor, deadline);
    if (!byte.ok()) {
      co_return WithContext(
          StrCat("the guest does not answer on vsock port ", port, " (agent not running, or still booting)"),
          byte.status());
    }
    answer.push_back(*byte);
  }
  if (!answer.starts_with("OK ") || !answer.ends_with('\n')) {
    co_return absl::FailedPreconditionError(
        StrCat("not a hybrid vsock socket: 'OK <port>' expected, got ", answer.size(), " other bytes"));
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<UniqueFd>> DialHybrid(HybridAddress address, Nanos deadline) {
  absl::StatusOr<UniqueFd> started = StartConnectUnix(address.path);
  if (!started.ok()) co_return started.status();
  absl::StatusOr<UniqueFd> fd = co_await FinishConnect(*std::move(started), deadline);
  if (!fd.ok()) co_return fd.status();
  Descriptor descriptor(co_await asio::this_coro::executor);
  absl::Status watched = Watch(descriptor, *fd);
  if (!watched.ok()) co_return watched;
  absl::Status asked = co_await AskForPort(descriptor, address.port, deadline);
  if (!asked.ok()) co_return asked;
  co_return UniqueFd(descriptor.release());
}

}  // namespace

Task<absl::StatusOr<UniqueFd>> Dial(Address address, Nanos deadline) {
  if (const auto* hybrid = std::get_if<HybridAddress>(&address)) {
    co_return co_await DialHybrid(*hybrid, deadline);
  }
  const auto* vsock = std::get_if<VsockAddress>(&address);
  absl::StatusOr<UniqueFd> started = vsock != nullptr ? StartConnectVsock(vsock->cid, vsock->port)
                                                      : StartConnectUnix(std::get<UnixAddress>(address).path);
  if (!started.ok()) co_return started.status();
  co_return co_await FinishConnect(*std::move(started), deadline);
}

absl::StatusOr<ReverseLink> Listen(const Address& address) {
  ReverseLink link;
  absl::StatusOr<UniqueFd> listener;
  if (const auto* vsock = std::get_if<VsockAddress>(&address)) {
    link.expected_cid = vsock->cid;
    listener = ListenVsock(vsock->port, kBacklog);
  } else if (const auto* hybrid = std::get_if<HybridAddress>(&address)) {
    link.path = StrCat(hybrid->path, "_", hybrid->port);
  } else {
    link.path = std::get<UnixAddress>(address).path;
  }
  if (!link.path.empty()) listener = ListenUnix(link.path, 0600, kBacklog);
  if (!listener.ok()) return listener.status();
  link.listener = *std::move(listener);
  return link;
}

void StopListening(ReverseLink& link) {
  link.listener.Reset();
  // Ignoring a failure: a stale socket file is replaced at the next start.
  if (!link.path.empty()) ::unlink(link.path.c_str());
}

Task<absl::StatusOr<UniqueFd>> AcceptAgent(const ReverseLink& link) {
  // The listener stays ours; Asio watches a duplicate.
  UniqueFd duplicate(::dup(link.listener.Get()));
  if (!duplicate.IsOpen()) co_return ErrnoStatus(errno, "dup");
  Descriptor descriptor(co_await asio::this_coro::executor);
  absl::Status watched = Watch(descriptor, duplicate);
  if (!watched.ok()) co_return watched;
  while (true) {
    absl::StatusOr<Peer> peer = Accept(link.listener.Get());
    if (peer.ok()) {
      const bool foreign = link.expected_cid && peer->cid != link.expected_cid;
      const bool unprivileged = peer->port && *peer->port >= kFirstUnprivilegedPort;
      if (foreign || unprivileged) {
        // A stranger who knocks in a loop must not keep this thread from everybody else.
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
        continue;
      }
      co_return std::move(peer->fd);
    }
    if (!absl::IsUnavailable(peer.status())) co_return peer.status();
    absl::Status ready =
        co_await AwaitReady(descriptor, Readiness::kReadable, Nanos{std::numeric_limits<int64_t>::max() / 4});
    if (!ready.ok()) co_return ready;
  }
}

}  // namespace ballast::session
