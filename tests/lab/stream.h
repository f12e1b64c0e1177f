// A connected stream socket with deadlines: what the lab's blocking clients (QMP, commands in guests) stand
// on.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/os/unique_fd.h"
#include "common/transport/address.h"

namespace ballast::lab {

class Stream {
 public:
  // For a hybrid address this includes the VMM's CONNECT/OK exchange.
  [[nodiscard]] static absl::StatusOr<Stream> Connect(const Address& address, absl::Time deadline);

  [[nodiscard]] absl::Status Write(std::string_view bytes, absl::Time deadline);
  // One line without its newline. UNAVAILABLE when the peer closed, DEADLINE_EXCEEDED when it took too long.
  [[nodiscard]] absl::StatusOr<std::string> ReadLine(absl::Time deadline);
  // Whatever there is, at least one byte; empty: the peer closed.
  [[nodiscard]] absl::StatusOr<std::string> ReadSome(absl::Time deadline);

  // The descriptor itself, for a protocol in which the peer does not speak first.
  [[nodiscard]] UniqueFd Release() { return std::move(fd_); }

 private:
  explicit Stream(UniqueFd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] absl::Status OpenGuestPort(uint32_t port, absl::Time deadline);
  [[nodiscard]] absl::Status Await(short events, absl::Time deadline) const;

  UniqueFd fd_;
  std::string unread_;
};

}  // namespace ballast::lab
