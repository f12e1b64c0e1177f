// Where each byte of a guest's memory is, and which of them the host holds. Every operation moves bytes from
// one part to another, so none is ever lost: the parts always add up to the boot memory.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/base/units.h"

namespace ballast::sim {

class GuestMemory {
 public:
  // boot_bytes: at least 64 MiB.
  explicit GuestMemory(int64_t boot_bytes);

  // The guest's kernel starts anew: everything is free but what the kernel takes. What the host held it still
  // holds (a reset returns nothing), but no longer in fragments.
  void Reset();
  // The VMM ends: the host has everything back.
  void Vacate();

  // Online beside the boot memory, and what its pages' metadata take of the guest's own (1/64).
  [[nodiscard]] int64_t plugged() const { return plugged_; }
  // Brings up to `bytes` more online, as far as the kernel has room for their metadata; returns how many.
  int64_t Plug(int64_t bytes);
  // Takes up to `bytes` of what is free offline again; returns how many.
  int64_t Unplug(int64_t bytes, int64_t keep_free);

  // All that is online: the boot memory, and what was plugged.
  [[nodiscard]] int64_t boot() const { return boot_; }
  [[nodiscard]] int64_t reserve() const { return reserve_; }
  [[nodiscard]] int64_t kernel() const { return kernel_; }
  [[nodiscard]] int64_t balloon() const { return balloon_; }
  [[nodiscard]] int64_t anon() const { return anon_; }
  [[nodiscard]] int64_t swapped() const { return swapped_; }  // uncompressed; not a part of memory
  [[nodiscard]] int64_t zram_store() const { return zram_store_; }
  [[nodiscard]] int64_t hot() const { return hot_; }
  [[nodiscard]] int64_t cold() const { return cold_; }
  [[nodiscard]] int64_t cache() const { return hot_ + cold_; }
  [[nodiscard]] int64_t free() const { return fragments_ + blocks_ + untouched_; }
  [[nodiscard]] int64_t reportable() const { return blocks_; }

  // Host memory behind it.
  [[nodiscard]] int64_t resident() const {
    return boot_ - untouched_ - (balloon_ - balloon_held_) - not_booted_;
  }
  // In use by kernel and programs, page cache included.
  [[nodiscard]] int64_t used() const { return boot_ - balloon_ - free() - not_booted_; }

  // The kernel's watermarks of free memory. What is below the high one does not count as available.
  [[nodiscard]] int64_t min_watermark() const { return min_watermark_; }
  [[nodiscard]] int64_t low_watermark() const { return low_watermark_; }
  [[nodiscard]] int64_t high_watermark() const { return high_watermark_; }

  // Moves. None takes more than is there; all return what was moved.
  int64_t FreeToAnon(int64_t bytes, int64_t keep_free) { return Move(TakeFree(bytes, keep_free), anon_); }
  int64_t FreeToHot(int64_t bytes, int64_t keep_free) { return Move(TakeFree(bytes, keep_free), hot_); }
  int64_t FreeToCold(int64_t bytes, int64_t keep_free) { return Move(TakeFree(bytes, keep_free), cold_); }
  int64_t FreeToBalloon(int64_t bytes, int64_t keep_free) {
    return Move(TakeFree(bytes, keep_free), balloon_);
  }
  int64_t ColdToAnon(int64_t bytes) { return Exchange(cold_, bytes, anon_); }
  int64_t ColdToHot(int64_t bytes) { return Exchange(cold_, bytes, hot_); }
  int64_t HotToAnon(int64_t bytes) { return Exchange(hot_, bytes, anon_); }
  int64_t HotToCold(int64_t bytes) { return Exchange(hot_, bytes, cold_); }
  int64_t ColdToBalloon(int64_t bytes) { return Exchange(cold_, bytes, balloon_); }
  int64_t HotToBalloon(int64_t bytes) { return Exchange(hot_, bytes, balloon_); }
  int64_t ColdToFree(int64_t bytes) { return GiveFree(std::min(bytes, cold_), cold_); }
  int64_t HotToFree(int64_t bytes) { return GiveFree(std::min(bytes, hot_), hot_); }
  int64_t AnonToFree(int64_t bytes) { return GiveFree(std::min(bytes, anon_), anon_); }
  // Balloon pages come back one by one and unbacked, unless the host never got them.
  int64_t BalloonToFree(int64_t bytes);
  // Out to zram: anon falls by `bytes`, a third of that is what the compressed copy takes, the rest is free.
  int64_t SwapOut(int64_t bytes);
  // Back in, or freed with its process.
  int64_t SwapIn(int64_t bytes, int64_t keep_free);
  int64_t DropSwapped(int64_t bytes);
  // Of the pages just ballooned the host kept these behind the guest (DeviceSpec::returns_nothing).
  void HoldBalloonPages(int64_t bytes) { balloon_held_ += bytes; }
  // One or more passes of free page reporting: whole free blocks go back to the host, at most `most` bytes.
  int64_t Report(int64_t most);

 private:
  // Of memory that programs or caches freed about half stays in pieces below a pageblock: HyperAlloc's raw
  // data (EuroSys'25), a 16 GiB guest after a build and drop_caches keeps 8.0 GiB resident with free page
  // reporting on.
  static constexpr int64_t kFragmentedPart = 2;

  int64_t TakeFree(int64_t bytes, int64_t keep_free);
  int64_t GiveFree(int64_t bytes, int64_t& part);
  static int64_t Move(int64_t bytes, int64_t& part) {
    part += bytes;
    return bytes;
  }
  static int64_t Exchange(int64_t& from, int64_t bytes, int64_t& to) {
    const int64_t moved = std::clamp<int64_t>(bytes, 0, from);
    from -= moved;
    to += moved;
    return moved;
  }
  void SetZramStore();

  int64_t boot_ = 0;
  int64_t reserve_ = 0;  // text, page metadata, crash kernel...: never in MemTotal
  int64_t kernel_ = 0;   // slab, page tables, drivers: in MemTotal, never reclaimed here
  int64_t min_watermark_ = 0;
  int64_t low_watermark_ = 0;
  int64_t high_watermark_ = 0;
  int64_t not_booted_ = 0;  // all of it while the VM is down
  int64_t plugged_ = 0;     // of boot_
  int64_t balloon_ = 0;
  int64_t balloon_held_ = 0;  // balloon pages the host still holds
  int64_t anon_ = 0;
  int64_t swapped_ = 0;
  int64_t zram_store_ = 0;
  int64_t hot_ = 0;
  int64_t cold_ = 0;
  int64_t fragments_ = 0;  // free, held by the host, in blocks too small to be reported
  int64_t blocks_ = 0;     // free, held by the host, in whole blocks
  int64_t untouched_ = 0;  // free and not held: never touched, reported, or returned by the balloon
};

inline int64_t GuestMemory::TakeFree(int64_t bytes, int64_t keep_free) {
  const int64_t taken = std::min(bytes, free() - keep_free);
  if (taken <= 0) return 0;
  // Pages freed last are handed out first, and small pieces before whole blocks are split; what was reported
  // or never touched lies at the far end of the lists.
  const int64_t from_fragments = std::min(taken, fragments_);
  const int64_t from_blocks = std::min(taken - from_fragments, blocks_);
  fragments_ -= from_fragments;
  blocks_ -= from_blocks;
  untouched_ -= taken - from_fragments - from_blocks;
  return taken;
}

inline int64_t GuestMemory::GiveFree(int64_t bytes, int64_t& part) {
  const int64_t given = std::max<int64_t>(0, bytes);
  part -= given;
  const int64_t in_pieces = given / kFragmentedPart;
  fragments_ += in_pieces;
  blocks_ += given - in_pieces;
  return given;
}

}  // namespace ballast::sim
