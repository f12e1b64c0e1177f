// What /sys/block/zramN says of a compressed memory device: one function a file.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast::kernel {

// mm_stat. Bytes and pages of the kernel's size.
struct ZramMemory {
  int64_t original_bytes = 0;  // stored, uncompressed, same-filled pages included
  int64_t compressed_bytes = 0;
  int64_t memory_used_bytes = 0;     // RAM taken
  int64_t memory_limit_bytes = 0;    // 0: none
  int64_t same_pages = 0;            // filled with one value: stored without memory
  int64_t incompressible_pages = 0;  // stored as they are; 0 on a kernel that does not say (7 columns)

  friend bool operator==(const ZramMemory&, const ZramMemory&) = default;
};

// io_stat. Since the device was made.
struct ZramIo {
  int64_t failed_reads = 0;
  int64_t failed_writes = 0;

  friend bool operator==(const ZramIo&, const ZramIo&) = default;
};

// Errors of all: InvalidArgument naming file and column that is missing, not a number or out of range. They
// allocate nothing unless they fail; columns of kernels to come are passed over.
[[nodiscard]] absl::StatusOr<ZramMemory> ParseZramMemory(std::string_view mm_stat);
[[nodiscard]] absl::StatusOr<ZramIo> ParseZramIo(std::string_view io_stat);
// bd_stat: bytes that are on the backing device now.
[[nodiscard]] absl::StatusOr<int64_t> ParseZramWrittenBack(std::string_view bd_stat);
// comp_algorithm: the one in use, which stands in brackets; a part of `text`.
[[nodiscard]] absl::StatusOr<std::string_view> ParseZramAlgorithm(std::string_view text);

}  // namespace ballast::kernel
