#include "common/transport/socket.h"

#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/base/text.h"

namespace ballast {
namespace {

absl::StatusOr<UniqueFd> OpenStream(int family) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.IsOpen()) return ErrnoStatus(errno, family == AF_VSOCK ? "socket(AF_VSOCK)" : "socket(AF_UNIX)");
  return fd;
}

sockaddr_vm VsockName(uint32_t cid, uint32_t port) {
  sockaddr_vm name{};
  name.svm_family = AF_VSOCK;
  name.svm_cid = cid;
  name.svm_port = port;
  return name;
}

absl::StatusOr<sockaddr_un> UnixName(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    return absl::InvalidArgumentError(
        StrCat("socket path '", path, "' must have 1 to ", sizeof name.sun_path - 1, " bytes"));
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  return name;
}

template <typename Name>
const sockaddr* Generic(const Name& name) {
  return reinterpret_cast<const sockaddr*>(&name);
}

absl::StatusOr<UniqueFd> Connect(UniqueFd fd, const sockaddr* name, socklen_t size, const std::string& what) {
  if (::connect(fd.Get(), name, size) != 0 && errno != EINPROGRESS) return ErrnoStatus(errno, what.c_str());
  return fd;
}

// Makes way for a new socket at `path` if what is there is a socket that nobody listens on.
absl::Status RemoveStaleSocket(const std::string& path, const sockaddr_un& name) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return absl::FailedPreconditionError(StrCat(path, " exists and is not a socket; it is left alone"));
  }
  auto probe = OpenStream(AF_UNIX);
  if (!probe.ok()) return probe.status();
  const bool refused = ::connect(probe->Get(), Generic(name), sizeof name) != 0 && errno == ECONNREFUSED;
  if (!refused) return absl::AlreadyExistsError(StrCat(path, " is in use by another process"));
  if (::unlink(path.c_str()) != 0) return ErrnoStatus(errno, path.c_str());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UniqueFd> ListenVsock(uint32_t port, int backlog) {
  auto fd = OpenStream(AF_VSOCK);
  if (!fd.ok()) return fd;
  const sockaddr_vm name = VsockName(VMADDR_CID_ANY, port);
  const std::string what = StrCat("vsock port ", port);
  if (::bind(fd->Get(), Generic(name), sizeof name) != 0) return ErrnoStatus(errno, what.c_str());
  if (::listen(fd->Get(), backlog) != 0) return ErrnoStatus(errno, what.c_str());
  return fd;
}

absl::StatusOr<UniqueFd> ListenUnix(const std::string& path, uint32_t mode, int backlog) {
  const auto name = UnixName(path);
  if (!name.ok()) return name.status();
  if (auto status = RemoveStaleSocket(path, *name); !status.ok()) return status;
  auto fd = OpenStream(AF_UNIX);
  if (!fd.ok()) return fd;
  // The mode must hold from the first moment: fchmod before bind sets what bind creates.
  if (::fchmod(fd->Get(), mode) != 0) return ErrnoStatus(errno, path.c_str());
  if (::bind(fd->Get(), Generic(*name), sizeof *name) != 0) return ErrnoStatus(errno, path.c_str());
  if (::listen(fd->Get(), backlog) != 0) return ErrnoStatus(errno, path.c_str());
  return fd;
}

absl::StatusOr<UniqueFd> StartConnectVsock(uint32_t cid, uint32_t port, std::optional<uint32_t> source_port) {
  auto fd = OpenStream(AF_VSOCK);
  if (!fd.ok()) return fd;
  const std::string what = StrCat("vsock:", cid, ":", port);
  if (source_port) {
    const sockaddr_vm local = VsockName(VMADDR_CID_ANY, *source_port);
    if (::bind(fd->Get(), Generic(local), sizeof local) != 0) return ErrnoStatus(errno, what.c_str());
  }
  const sockaddr_vm name = VsockName(cid, port);
  return Connect(*std::move(fd), Generic(name), sizeof name, what);
}

absl::StatusOr<UniqueFd> StartConnectUnix(const std::string& path) {
  const auto name = UnixName(path);
  if (!name.ok()) return name.status();
  auto fd = OpenStream(AF_UNIX);
  if (!fd.ok()) return fd;
  return Connect(*std::move(fd), Generic(*name), sizeof *name, path);
}

absl::Status SocketError(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    return ErrnoStatus(errno, "getsockopt(SO_ERROR)");
  return error == 0 ? absl::OkStatus() : ErrnoStatus(error, "connect");
}

absl::StatusOr<Peer> Accept(int listener) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  Peer peer;
  peer.fd =
      UniqueFd(::accept4(listener, reinterpret_cast<sockaddr*>(&name), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!peer.fd.IsOpen()) {
    const bool nobody = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    return nobody ? absl::UnavailableError("nobody waits") : ErrnoStatus(errno, "accept");
  }
  if (name.ss_family == AF_VSOCK) {
    sockaddr_vm vsock{};
    std::memcpy(&vsock, &name, sizeof vsock);
    peer.cid = vsock.svm_cid;
    peer.port = vsock.svm_port;
  }
  return peer;
}

}  // namespace ballast
