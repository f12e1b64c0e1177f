// What does not change while the agent runs; only a balloon may come later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/kernel/virtio_features_parser.h"
#include "common/os/file_reader.h"

namespace ballast::agent {

struct MachineFacts {
  std::string boot_id;         // empty: unknown
  std::string kernel_release;  // empty: unknown
  int64_t page_size_bytes = 4096;
  std::optional<kernel::BalloonFeatures> balloon;  // absent: no virtio balloon with a driver

  friend bool operator==(const MachineFacts&, const MachineFacts&) = default;
};

// Nothing where no virtio balloon has a driver.
[[nodiscard]] std::optional<kernel::BalloonFeatures> FindBalloon(const FileReader& files);
// Reads them once; what cannot be read stays unknown.
[[nodiscard]] MachineFacts ReadMachineFacts(const FileReader& files);

}  // namespace ballast::agent
