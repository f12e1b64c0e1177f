// How this guest treats memory that is plugged while it runs: the kernel's own policy, what the metadata
// costs, and who else brings blocks online.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/os/file_reader.h"

namespace ballast::agent {

struct HotplugFacts {
  int64_t block_size_bytes = 0;
  std::string kernel_policy;  // auto_online_blocks as it is now; empty: this kernel has none
  std::string agent_policy;   // "auto", "kernel", "movable" or "off"
  // Blocks carry the metadata of their own pages, so that plugging takes nothing from the memory there is.
  bool memmap_on_memory = false;
  std::vector<std::string> rivals;  // at most kMaxRivals, in words

  friend bool operator==(const HotplugFacts&, const HotplugFacts&) = default;
};

inline constexpr size_t kMaxRivals = 16;

// `kernel_release` as uname says it. What cannot be read is left out. `kernel_follows`: what the kernel does
// is what the agent has told it to, and so no rival.
[[nodiscard]] HotplugFacts ReadHotplugFacts(const FileReader& files, int64_t block_size_bytes,
                                            const std::string& kernel_release, std::string agent_policy,
                                            bool kernel_follows);

}  // namespace ballast::agent
