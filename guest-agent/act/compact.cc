#include "guest-agent/act/compact.h"

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "common/base/text.h"
#include "common/kernel/buddyinfo_parser.h"

namespace ballast::agent {
namespace {

constexpr int kOrder = 9;         // what free page reporting hands back: 2 MiB of 4 KiB pages
constexpr size_t kMaxNodes = 64;  // more than any guest has
constexpr char kWholeGuest[] = "/proc/sys/vm/compact_memory";
constexpr char kNodes[] = "/sys/devices/system/node";

absl::StatusOr<int64_t> FreeBlocks(const Scene& scene) {
  const auto text = scene.files.Read("/proc/buddyinfo");
  if (!text.ok()) return text.status();
  return kernel::ParseFreeBlocks(*text, kOrder);
}

// The files to write 1 to, one after another.
std::vector<std::string> Portions(const FileReader& files) {
  std::vector<std::string> portions;
  std::error_code ignored;  // no nodes: the whole guest at once
  for (size_t node = 0; node < kMaxNodes; ++node) {
    std::string path = StrCat(kNodes, "/node", node, "/compact");
    if (std::filesystem::exists(files.PathOf(path), ignored)) portions.push_back(std::move(path));
  }
  if (portions.size() < 2) return {kWholeGuest};
  return portions;
}

}  // namespace

absl::StatusOr<CompactResult> Compact(const Scene& scene) {
  std::error_code ignored;
  if (!std::filesystem::exists(scene.files.PathOf(kWholeGuest), ignored)) {
    return absl::UnimplementedError("this kernel cannot compact memory (no /proc/sys/vm/compact_memory)");
  }
  const auto before = FreeBlocks(scene);
  if (!before.ok()) return before.status();
  CompactResult result;
  result.free_blocks_before = *before;
  result.block_bytes = scene.page_size_bytes << kOrder;
  for (const std::string& portion : Portions(scene.files)) {
    auto stop = scene.Look();
    if (!stop) {
      const auto outcome = scene.Do(OrderKind::kWrite, portion, "1");
      if (!outcome.ok()) return outcome.status();
      if (outcome->error != 0) return ErrnoStatus(outcome->error, portion.c_str());
      stop = outcome->stop;
    }
    if (!stop) continue;
    result.stop = *stop;
    break;
  }
  const auto after = FreeBlocks(scene);
  if (!after.ok()) return after.status();
  result.free_blocks_after = *after;
  result.took = scene.clock.Now() - scene.began;
  return result;
}

}  // namespace ballast::agent
