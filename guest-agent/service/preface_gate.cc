#include "guest-agent/service/preface_gate.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace ballast::agent {
namespace {

constexpr std::string_view kClientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";  // RFC 9113, 3.4

}  // namespace

PrefaceVerdict JudgePreface(std::string_view bytes) {
  const std::string_view seen = bytes.substr(0, kClientPreface.size());
  if (!kClientPreface.starts_with(seen)) return PrefaceVerdict::kRefuse;
  return seen.size() == kClientPreface.size() ? PrefaceVerdict::kAdmit : PrefaceVerdict::kWait;
}

PrefaceVerdict PeekPreface(int fd) {
  std::array<char, kClientPreface.size()> bytes{};
  ssize_t n = 0;
  do {
    n = ::recv(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  if (n > 0) return JudgePreface({bytes.data(), static_cast<size_t>(n)});
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return PrefaceVerdict::kWait;
  if (n < 0 && errno == EOPNOTSUPP) return PrefaceVerdict::kAdmit;
  return PrefaceVerdict::kRefuse;
}

}  // namespace ballast::agent
