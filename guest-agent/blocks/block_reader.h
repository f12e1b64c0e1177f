// The memory blocks as sysfs shows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/os/file_reader.h"
#include "common/os/unique_fd.h"
#include "guest-agent/blocks/block_plan.h"

namespace ballast::agent {

inline constexpr std::string_view kMemoryFolder = "/sys/devices/system/memory";

// Reads of sysfs are never held up by a block that is on its way. Thread-safe.
class BlockReader {
 public:
  static constexpr size_t kMaxBlocks = 65'536;

  // Errors: NOT_FOUND when this kernel has no memory blocks, INVALID_ARGUMENT when their size is none.
  [[nodiscard]] static absl::StatusOr<BlockReader> Open(const FileReader& files);

  [[nodiscard]] int64_t BlockSizeBytes() const { return block_size_bytes_; }
  // In the order of their numbers, the lowest kMaxBlocks of them. A block that cannot be understood is left
  // out.
  [[nodiscard]] absl::StatusOr<std::vector<Block>> Scan() const;
  // Nothing: there is no such block (any more).
  [[nodiscard]] std::optional<Block> Read(int64_t number) const;
  // Where its state is written, with the root.
  [[nodiscard]] static std::string StatePath(int64_t number);

 private:
  BlockReader(UniqueFd folder, int64_t block_size_bytes)
      : folder_(std::move(folder)), block_size_bytes_(block_size_bytes) {}

  UniqueFd folder_;
  int64_t block_size_bytes_;
};

}  // namespace ballast::agent
