// From what a zram device is to what it shall be: the steps, in order, or why not. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/kernel/zram_parser.h"

namespace ballast::agent {

struct SwapUse {
  int64_t used_bytes = 0;
  int64_t priority = 0;  // negative: the kernel's choice

  friend bool operator==(const SwapUse&, const SwapUse&) = default;
};

// /sys/block/zramN as it is. Bytes.
struct ZramState {
  std::string name;  // "zram0"
  int64_t page_size_bytes = 4096;
  int64_t disksize_bytes = 0;              // 0: not initialised
  std::string algorithm;                   // the one in use; empty: unknown
  std::vector<std::string> algorithms;     // to choose from
  std::vector<std::string> recompressors;  // as recomp_algorithm wants them back: "algo=zstd priority=1"
  kernel::ZramMemory memory;
  std::string backing_device;   // empty: none
  bool can_write_back = false;  // the kernel offers the files
  bool can_recompress = false;
  std::optional<SwapUse> swap;  // in use as swap

  friend bool operator==(const ZramState&, const ZramState&) = default;
};

// Absent: leave it as it is.
struct ZramWish {
  std::string device{};                     // empty: the only one
  std::optional<int32_t> size_permyriad{};  // 100..40000 of the usable memory
  std::optional<std::string> algorithm{};
  std::optional<int64_t> memory_limit_bytes{};  // 0: none
  bool write_back_incompressible = false;
  bool recompress = false;
};

// The guest's memory.
struct GuestRoom {
  int64_t usable_bytes = 0;
  int64_t available_bytes = 0;
  int64_t reserve_bytes = 0;  // shall stay available, or the guest would be pressed
  int64_t page_size_bytes = 4096;
};

enum class ZramStepKind : uint8_t {
  kSwapOff,
  kReset,
  kBackingDevice,
  kAlgorithm,
  kRecompressor,
  kDisksize,
  kMemoryLimit,
  kMakeSwap,
  kSwapOn,
  kWriteBack,
  kRecompress,
};

// "swapoff", "disksize", ...: what ConfigureZramResponse calls it.
[[nodiscard]] std::string_view NameOf(ZramStepKind kind);
// May take long, and nothing is lost when it is stopped half way.
[[nodiscard]] bool IsSlow(ZramStepKind kind);

struct ZramStep {
  ZramStepKind kind = ZramStepKind::kSwapOff;
  std::string value;

  friend bool operator==(const ZramStep&, const ZramStep&) = default;
};

struct ZramSteps {
  std::vector<ZramStep> steps;
  // Brings a device that was emptied back to what it was, should one of the steps after that fail.
  std::vector<ZramStep> restore;
  std::vector<std::string> skipped;  // "recompress: why"

  friend bool operator==(const ZramSteps&, const ZramSteps&) = default;
};

// Size and algorithm of an initialised device only change by a reset, which wants it empty; one that holds
// anything but swap is never touched. Errors: INVALID_ARGUMENT naming the field; FAILED_PRECONDITION saying
// what is in the way.
[[nodiscard]] absl::StatusOr<ZramSteps> PlanZramProfile(const ZramState& state, const ZramWish& wish,
                                                        const GuestRoom& room);

}  // namespace ballast::agent
