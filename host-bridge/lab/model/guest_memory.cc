#include "host-bridge/lab/model/guest_memory.h"

namespace ballast::sim {
namespace {

// struct page: 64 bytes for each 4 KiB.
constexpr int64_t kMetadataShare = 64;
// Text, per-CPU areas, initrd and firmware holes of a 6.1 kernel on x86: a 256 MiB guest shows about 220 MiB
// of MemTotal, a 1 GiB guest about 970.
constexpr int64_t kKernelImage = 32 * kMiB;
// Slab, page tables and stacks of a booted system without load; grows with the size (inode and dentry
// caches).
constexpr int64_t kKernelAtRest = 16 * kMiB;
constexpr int64_t kKernelAtRestShare = 256;
// zram with lzo-rle or lz4 on programs' memory stores about 3 to 1 (what the kernel's documentation reckons
// with).
constexpr int64_t kZramRatio = 3;
// min_free_kbytes = sqrt(16 * low memory in KiB), within 128 KiB..256 MiB (mm/page_alloc.c).
constexpr int64_t kLeastMinFree = 128 * kKiB;
constexpr int64_t kMostMinFree = 256 * kMiB;

// From 512 MiB of MemTotal on huge pages are enabled, and khugepaged has 11 blocks of 2 MiB kept free in each
// zone, at most a twentieth of memory (mm/khugepaged.c). Zones: DMA and DMA32, and Normal above 3 GiB.
constexpr int64_t kLeastForHugePages = 512 * kMiB;
constexpr int64_t kHugePagesOfZone = 22 * kMiB;
constexpr int64_t kHugePagesPart = 20;
constexpr int64_t kLowMemory = 3 * kGiB;
// The watermarks are a thousandth of memory apart (watermark_scale_factor), at least a quarter of the lowest.
constexpr int64_t kWatermarkPart = 1'000;

int64_t SquareRoot(int64_t value) {
  int64_t root = 0;
  for (int64_t bit = int64_t{1} << 31; bit > 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= value) root += bit;
  }
  return root;
}

int64_t MinWatermark(int64_t boot, int64_t managed) {
  const int64_t least = std::clamp(SquareRoot(16 * (managed / kKiB)) * kKiB, kLeastMinFree, kMostMinFree);
  if (managed < kLeastForHugePages) return least;
  const int64_t zones = boot > kLowMemory ? 3 : 2;
  return std::max(least, std::min(zones * kHugePagesOfZone, managed / kHugePagesPart));
}

}  // namespace

GuestMemory::GuestMemory(int64_t boot_bytes)
    : boot_(boot_bytes),
      reserve_(boot_bytes / kMetadataShare + kKernelImage),
      kernel_(kKernelAtRest + boot_bytes / kKernelAtRestShare) {
  const int64_t managed = boot_ - reserve_;
  min_watermark_ = MinWatermark(boot_, managed);
  const int64_t apart = std::max(min_watermark_ / 4, managed / kWatermarkPart);
  low_watermark_ = min_watermark_ + apart;
  high_watermark_ = low_watermark_ + apart;
  untouched_ = boot_ - reserve_ - kernel_;
}

void GuestMemory::Reset() {
  const int64_t unheld = untouched_ + balloon_ - balloon_held_ + not_booted_;
  balloon_ = balloon_held_ = anon_ = swapped_ = zram_store_ = hot_ = cold_ = fragments_ = not_booted_ = 0;
  const int64_t free = boot_ - reserve_ - kernel_;
  untouched_ = std::min(unheld, free);
  blocks_ = free - untouched_;
}

int64_t GuestMemory::Plug(int64_t bytes) {
  const int64_t room = std::max<int64_t>(0, free() - min_watermark_) * kMetadataShare;
  const int64_t added = std::clamp<int64_t>(bytes, 0, room) / kMetadataShare * kMetadataShare;
  kernel_ += TakeFree(added / kMetadataShare, 0);
  boot_ += added;
  plugged_ += added;
  untouched_ += added;
  return added;
}

int64_t GuestMemory::Unplug(int64_t bytes, int64_t keep_free) {
  const int64_t most = std::clamp<int64_t>(bytes, 0, plugged_) / kMetadataShare * kMetadataShare;
  const int64_t spare = std::max<int64_t>(0, free() - keep_free) / kMetadataShare * kMetadataShare;
  const int64_t taken = TakeFree(std::min(most, spare), keep_free);
  boot_ -= taken;
  plugged_ -= taken;
  GiveFree(taken / kMetadataShare, kernel_);
  return taken;
}

void GuestMemory::Vacate() {
  kernel_ -= plugged_ / kMetadataShare;
  boot_ -= plugged_;
  plugged_ = 0;
  Reset();
  untouched_ = blocks_ = 0;
  not_booted_ = boot_;
}

int64_t GuestMemory::BalloonToFree(int64_t bytes) {
  const int64_t given = std::clamp<int64_t>(bytes, 0, balloon_);
  const int64_t held = std::min(given, balloon_held_);
  balloon_ -= given;
  balloon_held_ -= held;
  blocks_ += held;
  untouched_ += given - held;
  return given;
}

void GuestMemory::SetZramStore() {
  if (swapped_ == 0 && zram_store_ == 0) return;
  const int64_t store = swapped_ / kZramRatio;
  if (store <= zram_store_) {
    GiveFree(zram_store_ - store, zram_store_);
  } else {
    Move(TakeFree(store - zram_store_, 0), zram_store_);
  }
}

int64_t GuestMemory::SwapOut(int64_t bytes) {
  const int64_t out = std::clamp<int64_t>(bytes, 0, anon_);
  GiveFree(out, anon_);
  swapped_ += out;
  SetZramStore();
  return out;
}

int64_t GuestMemory::SwapIn(int64_t bytes, int64_t keep_free) {
  const int64_t in = Move(TakeFree(std::min(bytes, swapped_), keep_free), anon_);
  swapped_ -= in;
  SetZramStore();
  return in;
}

int64_t GuestMemory::DropSwapped(int64_t bytes) {
  const int64_t dropped = std::clamp<int64_t>(bytes, 0, swapped_);
  swapped_ -= dropped;
  SetZramStore();
  return dropped;
}

int64_t GuestMemory::Report(int64_t most) {
  const int64_t reported = std::clamp<int64_t>(most, 0, blocks_);
  blocks_ -= reported;
  untouched_ += reported;
  return reported;
}

}  // namespace ballast::sim
