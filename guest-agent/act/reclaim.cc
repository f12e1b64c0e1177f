#include "guest-agent/act/reclaim.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "guest-agent/act/act_text_parser.h"

namespace ballast::agent {
namespace {

constexpr char kCgroupMount[] = "/sys/fs/cgroup";
constexpr char kDropCaches[] = "/proc/sys/vm/drop_caches";
constexpr size_t kMaxCgroupPath = 256;

// Pushing out 50 MB to zram took 0.25 to 0.44 s on slow emulated guests: with bites of 32 MiB the brake acts
// between two of them within 0.3 s at worst, and reading the counters (50 us) costs nothing beside one.
constexpr int64_t kBite = 32 * kMiB;
// Between two bites, so that others' stalls and refaults come to light: 1 GiB/s remains possible.
constexpr Nanos kPause = Milliseconds(20);
// A bite that brings less than this share of itself, when the kernel says that it gave up, was the last one.
constexpr int64_t kUsefulShare = 8;
// More than a quarter of what was taken is wanted back: it was not cold. Below 4 MiB it is noise.
constexpr int64_t kRefaultShare = 4;
constexpr int64_t kRefaultNoise = 4 * kMiB;
// memory.reclaim may count pages that it took twice, or not at all: asking ends at twice what was wished.
constexpr int64_t kMaxAskedFactor = 2;

std::string FileOf(const ReclaimWish& wish, std::string_view name) {
  return StrCat(kCgroupMount, wish.cgroup == "/" ? "" : wish.cgroup, "/", name);
}

// Of the cgroup, or of the whole guest.
absl::StatusOr<int64_t> StolenBytes(const Scene& scene, const ReclaimWish& wish) {
  const auto text = scene.files.Read(wish.cgroup.empty() ? "/proc/vmstat" : FileOf(wish, "memory.stat"));
  if (!text.ok()) return text.status();
  const auto pages = ParseStolenPages(*text);
  if (!pages.ok()) return absl::UnimplementedError(pages.status().message());
  return *pages * scene.page_size_bytes;
}

int64_t RefaultedBytes(const Scene& scene) {
  const auto& vmstat = scene.brake.Seen().vmstat;
  if (!vmstat) return 0;
  return (vmstat->refault_anon_pages.value_or(0) + vmstat->refault_file_pages.value_or(0)) *
         scene.page_size_bytes;
}

bool HasSwap(const Scene& scene) {
  const auto& meminfo = scene.brake.Seen().meminfo;
  return !meminfo || meminfo->swap_total_bytes.value_or(1) > 0;
}

absl::Status RefusedBy(const std::string& path, int error, bool with_swappiness) {
  if (error == EINVAL && with_swappiness) {
    return absl::UnimplementedError(
        StrCat("cache_only: this kernel's memory.reclaim takes no swappiness, and the guest has swap"));
  }
  return ErrnoStatus(error, path.c_str());
}

// Bite after bite until a reason to stop comes up.
class Reclaiming {
 public:
  Reclaiming(const Scene& scene, const ReclaimWish& wish)
      : scene_(scene),
        wish_(wish),
        path_(FileOf(wish, "memory.reclaim")),
        cache_argument_(wish.cache_only && HasSwap(scene)) {}

  absl::StatusOr<ReclaimResult> Run() {
    const auto before = StolenBytes(scene_, wish_);
    if (!before.ok()) return before.status();
    const int64_t refaulted_before = RefaultedBytes(scene_);
    ReclaimResult result;
    result.method = "memory.reclaim";
    std::optional<Stop> stop;
    while (!stop) {
      stop = scene_.Look();
      if (!stop) stop = TakesBack(RefaultedBytes(scene_) - refaulted_before, result.reclaimed_bytes);
      bool gave_up = false;
      if (!stop) {
        const auto bitten = Bite(result.reclaimed_bytes, gave_up);
        if (!bitten.ok()) return bitten.status();
        stop = *bitten;
      }
      const auto now = StolenBytes(scene_, wish_);
      if (!now.ok()) return now.status();
      const int64_t gained = *now - *before - result.reclaimed_bytes;
      result.reclaimed_bytes = *now - *before;
      if (!stop) stop = Judge(result.reclaimed_bytes, gained, gave_up);
      if (!stop) scene_.sleep(kPause);
    }
    result.stop = *stop;
    return result;
  }

 private:
  static std::optional<Stop> TakesBack(int64_t refaulted, int64_t taken) {
    const bool wanted = refaulted >= kRefaultNoise && refaulted > taken / kRefaultShare;
    return wanted ? std::optional(Stop::kPressure) : std::nullopt;
  }

  absl::StatusOr<std::optional<Stop>> Bite(int64_t so_far, bool& gave_up) {
    const int64_t left = std::max(wish_.bytes - so_far, scene_.page_size_bytes);
    bite_ = std::min(kBite, left);
    asked_ += bite_;
    const auto outcome = scene_.Do(OrderKind::kWrite, FileOf(wish_, "memory.reclaim"),
                                   StrCat(bite_, cache_argument_ ? " swappiness=0" : ""));
    if (!outcome.ok()) return outcome.status();
    // EAGAIN: it took what it found, and that was less.
    gave_up = outcome->error == EAGAIN || outcome->error == EINTR;
    if (outcome->error != 0 && !gave_up) return RefusedBy(path_, outcome->error, cache_argument_);
    return outcome->stop;
  }

  std::optional<Stop> Judge(int64_t reclaimed, int64_t gained, bool gave_up) const {
    if (reclaimed >= wish_.bytes) return Stop::kDone;
    if (gave_up && gained < bite_ / kUsefulShare) return Stop::kExhausted;
    if (asked_ / kMaxAskedFactor >= std::max(wish_.bytes, kBite)) return Stop::kExhausted;
    return std::nullopt;
  }

  const Scene& scene_;
  const ReclaimWish& wish_;
  const std::string path_;
  const bool cache_argument_;
  int64_t bite_ = 0;
  int64_t asked_ = 0;
};

absl::StatusOr<CacheUse> ReadCacheUse(const Scene& scene) {
  const auto text = scene.files.Read("/proc/meminfo");
  if (!text.ok()) return text.status();
  return ParseCacheUse(*text);
}

// Only the whole cache can be dropped: not when much of it is in use, nor for the sake of a small part of it.
absl::Status CheckDroppable(const CacheUse& use, int64_t wished) {
  const int64_t all = use.active_bytes + use.inactive_bytes;
  if (use.active_bytes > all / 4) {
    return absl::FailedPreconditionError(
        StrCat("without memory.reclaim only the whole page cache can be dropped, and ",
               FormatSize(use.active_bytes), " of its ", FormatSize(all), " is in use"));
  }
  if (wished < all / 2) {
    return absl::FailedPreconditionError(
        StrCat("without memory.reclaim only the whole page cache can be dropped: ", FormatSize(all),
               ", much more than the ", FormatSize(wished), " asked for"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ReclaimResult> DropCaches(const Scene& scene, const ReclaimWish& wish) {
  if (!scene.files.Exists(kDropCaches)) {
    return absl::UnimplementedError("this kernel has neither memory.reclaim nor drop_caches");
  }
  const auto before = ReadCacheUse(scene);
  if (!before.ok()) return before.status();
  if (auto status = CheckDroppable(*before, wish.bytes); !status.ok()) return status;
  const auto outcome = scene.Do(OrderKind::kWrite, kDropCaches, "1");
  if (!outcome.ok()) return outcome.status();
  if (outcome->error != 0) return ErrnoStatus(outcome->error, kDropCaches);
  const auto after = ReadCacheUse(scene);
  if (!after.ok()) return after.status();
  ReclaimResult result;
  result.method = "drop_caches";
  // Dropping is not counted among the stolen pages; the cache's own size tells.
  result.reclaimed_bytes = std::max<int64_t>(before->cached_bytes - after->cached_bytes, 0);
  const bool all = result.reclaimed_bytes >= wish.bytes;
  result.stop = outcome->stop.value_or(all ? Stop::kDone : Stop::kExhausted);
  return result;
}

absl::Status CheckWish(const Scene& scene, const ReclaimWish& wish) {
  if (wish.cgroup.empty()) return absl::OkStatus();
  if (!IsCgroupPath(wish.cgroup)) {
    constexpr size_t kMostQuoted = 64;
    return absl::InvalidArgumentError(StrCat("cgroup = ", wish.cgroup.substr(0, kMostQuoted),
                                             ": must be a path as /system.slice, of at most ", kMaxCgroupPath,
                                             " bytes and without . and .."));
  }
  if (!scene.files.Exists(FileOf(wish, "cgroup.procs"))) {
    return absl::InvalidArgumentError(StrCat("cgroup = ", wish.cgroup, ": there is none such"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ReclaimResult> ByTheBestMeans(const Scene& scene, const ReclaimWish& wish) {
  if (scene.files.Exists(FileOf(wish, "memory.reclaim"))) return Reclaiming(scene, wish).Run();
  if (wish.cgroup.empty()) return DropCaches(scene, wish);
  return absl::UnimplementedError(StrCat("this kernel has no memory.reclaim for ", wish.cgroup));
}

}  // namespace

bool IsCgroupPath(std::string_view path) {
  if (!path.starts_with('/') || path.size() > kMaxCgroupPath) return false;
  if (path.find('\0') != std::string_view::npos || path.find('\n') != std::string_view::npos) return false;
  if (path == "/") return true;
  for (std::string_view rest = path; !rest.empty();) {
    rest.remove_prefix(1);  // the slash
    const std::string_view name = rest.substr(0, rest.find('/'));
    if (name.empty() || name == "." || name == "..") return false;
    rest.remove_prefix(name.size());
  }
  return true;
}

absl::StatusOr<ReclaimResult> Reclaim(const Scene& scene, const ReclaimWish& wish) {
  if (auto status = CheckWish(scene, wish); !status.ok()) return status;
  const int64_t available = scene.brake.AvailableBytes();
  auto result = ByTheBestMeans(scene, wish);
  if (!result.ok()) return result;
  (void)scene.brake.Look(scene.clock.Now());  // for the figures alone: the act is over
  result->available_change_bytes = scene.brake.AvailableBytes() - available;
  result->took = scene.clock.Now() - scene.began;
  return result;
}

}  // namespace ballast::agent
