#include "guest-agent/act/zram_profile_plan.h"

#include <algorithm>

#include "common/base/size_text.h"
#include "common/base/text.h"

namespace ballast::agent {
namespace {

using Kind = ZramStepKind;

// Before any disk, as what holds swap in memory should be.
constexpr int64_t kFreshPriority = 100;
constexpr int64_t kMaxLimitBytes = int64_t{1} << 50;

absl::Status Invalid(std::string_view text) { return absl::InvalidArgumentError(ToAbsl(text)); }

absl::Status CheckWish(const ZramState& state, const ZramWish& wish) {
  if (wish.size_permyriad && (*wish.size_permyriad < 100 || *wish.size_permyriad > 40'000)) {
    return Invalid(StrCat("size_permyriad is ", *wish.size_permyriad, "; allowed: 100..40000"));
  }
  if (wish.memory_limit_bytes &&
      (*wish.memory_limit_bytes < 0 || *wish.memory_limit_bytes > kMaxLimitBytes)) {
    return Invalid(
        StrCat("memory_limit_bytes is ", *wish.memory_limit_bytes, "; allowed: 0 (none) or 1..2^50"));
  }
  const auto& known = state.algorithms;
  if (wish.algorithm && std::find(known.begin(), known.end(), *wish.algorithm) == known.end()) {
    std::string offered;
    for (const std::string& algorithm : known) offered += StrCat(" ", algorithm);
    return Invalid(StrCat("algorithm is '", *wish.algorithm, "'; this kernel offers:", offered));
  }
  if (state.disksize_bytes == 0 && !wish.size_permyriad) {
    return Invalid(StrCat("size_permyriad is absent, and ", state.name, " has no size yet"));
  }
  return absl::OkStatus();
}

// Of a size that is a whole number of pages.
int64_t WishedSize(const ZramState& state, const ZramWish& wish, const GuestRoom& room) {
  if (!wish.size_permyriad) return state.disksize_bytes;
  // Divided first: so it fits for every size below 2^61.
  const int64_t bytes = room.usable_bytes / 10'000 * *wish.size_permyriad;
  return bytes / room.page_size_bytes * room.page_size_bytes;
}

// All that swapoff brings back has to fit beside what the guest is to keep; the device's own memory comes
// free.
absl::Status CheckRoom(const ZramState& state, const GuestRoom& room) {
  const int64_t wanted = state.swap->used_bytes - state.memory.memory_used_bytes;
  const int64_t left = room.available_bytes - wanted;
  if (left >= room.reserve_bytes) return absl::OkStatus();
  return absl::FailedPreconditionError(
      StrCat(state.name, " must be emptied first, and its ", FormatSize(state.swap->used_bytes), " of swap (",
             FormatSize(state.memory.memory_used_bytes),
             " compressed) do not fit: ", FormatSize(room.available_bytes), " are available, of which ",
             FormatSize(room.reserve_bytes), " are to stay so"));
}

absl::Status CheckOurs(const ZramState& state) {
  if (state.disksize_bytes == 0 || state.swap) return absl::OkStatus();
  return absl::FailedPreconditionError(StrCat(state.name, " is initialised and no swap (",
                                              FormatSize(state.memory.original_bytes),
                                              " stored): whoever uses it must give it up first"));
}

// From a reset on: a device of this size and these settings, in use as swap.
std::vector<ZramStep> Build(const ZramState& from, int64_t disksize, const std::string& algorithm,
                            int64_t limit) {
  std::vector<ZramStep> steps;
  if (!from.backing_device.empty()) steps.push_back({Kind::kBackingDevice, from.backing_device});
  if (!algorithm.empty()) steps.push_back({Kind::kAlgorithm, algorithm});
  for (const std::string& recompressor : from.recompressors)
    steps.push_back({Kind::kRecompressor, recompressor});
  steps.push_back({Kind::kDisksize, StrCat(disksize)});
  if (limit > 0) steps.push_back({Kind::kMemoryLimit, StrCat(limit)});
  steps.push_back({Kind::kMakeSwap, ""});
  const int64_t priority = from.swap ? from.swap->priority : kFreshPriority;
  steps.push_back({Kind::kSwapOn, priority < 0 ? "" : StrCat(priority)});
  return steps;
}

void Append(std::vector<ZramStep>& to, std::vector<ZramStep> more) {
  for (ZramStep& step : more) to.push_back(std::move(step));
}

// The steps that need an empty device.
ZramSteps PlanRebuild(const ZramState& state, const ZramWish& wish, int64_t disksize) {
  ZramSteps plan;
  if (state.swap) plan.steps.push_back({Kind::kSwapOff, ""});
  if (state.disksize_bytes > 0) plan.steps.push_back({Kind::kReset, "1"});
  const int64_t limit = wish.memory_limit_bytes.value_or(state.memory.memory_limit_bytes);
  Append(plan.steps, Build(state, disksize, wish.algorithm.value_or(state.algorithm), limit));
  if (state.disksize_bytes > 0) {
    plan.restore.push_back({Kind::kReset, "1"});
    Append(plan.restore,
           Build(state, state.disksize_bytes, state.algorithm, state.memory.memory_limit_bytes));
  }
  if (wish.write_back_incompressible) plan.skipped.push_back("write_back: the device was emptied");
  if (wish.recompress) plan.skipped.push_back("recompress: the device was emptied");
  return plan;
}

// The steps that leave its data where they are.
ZramSteps PlanInPlace(const ZramState& state, const ZramWish& wish) {
  ZramSteps plan;
  if (wish.size_permyriad) plan.skipped.push_back("disksize: is as wished");
  if (wish.algorithm) plan.skipped.push_back("algorithm: is as wished");
  if (wish.memory_limit_bytes) plan.steps.push_back({Kind::kMemoryLimit, StrCat(*wish.memory_limit_bytes)});
  if (wish.write_back_incompressible && !state.can_write_back) {
    plan.skipped.push_back("write_back: this kernel's zram has none");
  } else if (wish.write_back_incompressible && state.backing_device.empty()) {
    plan.skipped.push_back("write_back: the device has no backing device");
  } else if (wish.write_back_incompressible) {
    plan.steps.push_back({Kind::kWriteBack, "huge"});
  }
  if (wish.recompress && !state.can_recompress) {
    plan.skipped.push_back("recompress: this kernel's zram has none");
  } else if (wish.recompress && state.recompressors.empty()) {
    plan.skipped.push_back("recompress: no secondary algorithm is set (recomp_algorithm)");
  } else if (wish.recompress) {
    plan.steps.push_back({Kind::kRecompress, "type=huge"});
  }
  return plan;
}

}  // namespace

std::string_view NameOf(ZramStepKind kind) {
  switch (kind) {
    case Kind::kSwapOff:
      return "swapoff";
    case Kind::kReset:
      return "reset";
    case Kind::kBackingDevice:
      return "backing_dev";
    case Kind::kAlgorithm:
      return "algorithm";
    case Kind::kRecompressor:
      return "recomp_algorithm";
    case Kind::kDisksize:
      return "disksize";
    case Kind::kMemoryLimit:
      return "mem_limit";
    case Kind::kMakeSwap:
      return "mkswap";
    case Kind::kSwapOn:
      return "swapon";
    case Kind::kWriteBack:
      return "write_back";
    case Kind::kRecompress:
      return "recompress";
  }
  return "?";
}

bool IsSlow(ZramStepKind kind) {
  return kind == Kind::kSwapOff || kind == Kind::kWriteBack || kind == Kind::kRecompress;
}

absl::StatusOr<ZramSteps> PlanZramProfile(const ZramState& state, const ZramWish& wish,
                                          const GuestRoom& room) {
  if (auto status = CheckWish(state, wish); !status.ok()) return status;
  const int64_t disksize = WishedSize(state, wish, room);
  if (disksize < 10 * room.page_size_bytes) {
    return Invalid(StrCat("size_permyriad comes to ", FormatSize(disksize), ": too small for swap"));
  }
  const bool resize = disksize != state.disksize_bytes;
  const bool recode = wish.algorithm && *wish.algorithm != state.algorithm;
  if (!resize && !recode) return PlanInPlace(state, wish);
  if (auto status = CheckOurs(state); !status.ok()) return status;
  if (state.swap) {
    if (auto status = CheckRoom(state, room); !status.ok()) return status;
  }
  return PlanRebuild(state, wish, disksize);
}

}  // namespace ballast::agent
