// The watch that watch.bpf.c keeps in the kernel.
#pragma once

#include <linux/types.h>

#include <cstddef>
#include <optional>

#include "absl/status/statusor.h"
#include "common/os/unique_fd.h"
#include "guest-agent/bpf/kernel_event.h"
#include "guest-agent/bpf/memory_watch.h"

namespace ballast::agent {

class KernelWatch final : public MemoryWatch {
 public:
  // Shared with the program; must outlive the watch.
  struct Shared {
    ballast_watch* watch = nullptr;
    const ballast_stall_sums* stalls = nullptr;
  };

  // `clock` keeps the timer alive. Errors: the kernel's, when `events` cannot be mapped.
  [[nodiscard]] static absl::StatusOr<KernelWatch> Open(UniqueFd clock, UniqueFd events, Shared shared);
  KernelWatch(KernelWatch&& other) noexcept;
  KernelWatch& operator=(KernelWatch&&) = delete;
  ~KernelWatch() override;

  [[nodiscard]] int Fd() const override { return events_.Get(); }
  [[nodiscard]] bool Watch(const WatchOrder& order, MonotonicTime now) override;
  void Relax(Nanos look_every) override;
  [[nodiscard]] std::optional<CalmLook> LastCalmLook() const override;

 private:
  KernelWatch(UniqueFd clock, UniqueFd events, Shared shared);
  [[nodiscard]] absl::Status MapEvents();
  void Disarm();

  UniqueFd clock_;
  UniqueFd events_;
  Shared shared_;
  size_t page_bytes_ = 0;
  unsigned long* taken_ = nullptr;        // of the events; ours to write
  const unsigned long* given_ = nullptr;  // the kernel's
};

}  // namespace ballast::agent
