// Where the news of memory blocks comes from.
#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "common/kernel/uevent_parser.h"
#include "common/os/unique_fd.h"

namespace ballast::agent {

class UeventSource {
 public:
  virtual ~UeventSource() = default;
  // Readable while there is something to take.
  [[nodiscard]] virtual int Fd() const = 0;

  enum class Kind { kBlock, kNothing, kLost };
  struct News {
    Kind kind = Kind::kNothing;  // kLost: events were dropped, only a search tells what they were
    kernel::BlockUevent event;   // kBlock
  };
  // The next event about memory blocks; others are passed over. Never waits.
  [[nodiscard]] virtual News Take() = 0;
};

// The kernel's own events over netlink. What other processes send is not believed.
class UeventSocket final : public UeventSource {
 public:
  [[nodiscard]] static absl::StatusOr<UeventSocket> Open();

  [[nodiscard]] int Fd() const override { return fd_.Get(); }
  [[nodiscard]] News Take() override;

 private:
  explicit UeventSocket(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace ballast::agent
