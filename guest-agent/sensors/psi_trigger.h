// The kernel's own watch on memory pressure: a descriptor that polls POLLPRI when tasks stalled too long.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/os/file_reader.h"
#include "common/os/unique_fd.h"

namespace ballast::agent {

class PsiTrigger {
 public:
  // 100 ms of stall within 1 s; without CAP_SYS_RESOURCE, where the kernel only takes windows of whole 2 s,
  // within 2 s. Errors: why this kernel or this process cannot have one.
  [[nodiscard]] static absl::StatusOr<PsiTrigger> Open(const FileReader& files);

  // Poll for POLLPRI alone: the descriptor always counts as readable and writable. Polling consumes the
  // event.
  [[nodiscard]] int Fd() const { return fd_.Get(); }
  [[nodiscard]] int64_t ThresholdUs() const { return threshold_us_; }
  [[nodiscard]] int64_t WindowUs() const { return window_us_; }

 private:
  PsiTrigger(UniqueFd fd, int64_t threshold_us, int64_t window_us)
      : fd_(std::move(fd)), threshold_us_(threshold_us), window_us_(window_us) {}

  UniqueFd fd_;
  int64_t threshold_us_;
  int64_t window_us_;
};

}  // namespace ballast::agent
