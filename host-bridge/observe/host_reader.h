// What the host's own kernel feels: its memory and its stalls.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/sampled.h"
#include "common/kernel/psi_parser.h"
#include "common/os/clock.h"
#include "common/os/file_reader.h"
#include "common/os/pinned_file.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::observe {

// Reads /proc/meminfo and /proc/pressure/memory below the files' root, opened once. One thread at a time.
class HostReader {
 public:
  // `clock` must outlive the reader. Errors: no /proc/meminfo. A host without PSI is no error: see PsiStatus.
  [[nodiscard]] static absl::StatusOr<HostReader> Create(const FileReader& files, const Clock& clock);

  // The stall shares cover the time since the last read, and its 10 s average at the first; at least 100 ms,
  // below which the last shares stand. Errors: /proc/meminfo unreadable or inconsistent.
  [[nodiscard]] absl::StatusOr<Sampled<policy::HostReading>> Read();

  // Why the shares are 0, for one line in the log: OK while the kernel offers PSI.
  [[nodiscard]] const absl::Status& PsiStatus() const { return psi_status_; }

 private:
  HostReader(PinnedFile meminfo, const Clock& clock) : meminfo_(std::move(meminfo)), clock_(&clock) {}

  [[nodiscard]] absl::StatusOr<kernel::Psi> ReadPsi();
  void UpdateShares(MonotonicTime now);

  PinnedFile meminfo_;
  std::optional<PinnedFile> psi_;
  const Clock* clock_;
  absl::Status psi_status_;

  std::optional<Sampled<kernel::Psi>> last_psi_;
  int32_t some_permyriad_ = 0;
  int32_t full_permyriad_ = 0;
};

}  // namespace ballast::observe
