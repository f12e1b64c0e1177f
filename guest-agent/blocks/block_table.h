// What is known of the memory blocks: kept by the thread that hears of them, asked by all others.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "guest-agent/blocks/block_plan.h"

namespace ballast::agent {

// Bytes, in whole blocks.
struct BlockSums {
  int64_t block_size_bytes = 0;
  int64_t online_bytes = 0;
  int64_t offline_bytes = 0;  // those on their way out included
  int64_t movable_bytes = 0;  // online in Movable
  int64_t failed_bytes = 0;   // offline because bringing them online failed

  friend bool operator==(const BlockSums&, const BlockSums&) = default;
};

// Thread-safe. Asking for the sums allocates nothing and takes no longer than a short lock.
class BlockTable {
 public:
  explicit BlockTable(int64_t block_size_bytes) : sums_{.block_size_bytes = block_size_bytes} {}

  [[nodiscard]] BlockSums Sums() const;
  [[nodiscard]] std::optional<Block> Find(int64_t number) const;
  // In the order of their numbers.
  [[nodiscard]] std::vector<Block> All() const;

  // As it was just read; that it was plugged, and that it failed, is kept, the latter until it is online.
  void Put(const Block& block);
  void Remove(int64_t number);
  void MarkPlugged(int64_t number);
  void MarkFailed(int64_t number);
  // Instead of all there is.
  void Reset(std::vector<Block> blocks);

  // What is different from when this was last called, by number; the first time: nothing.
  [[nodiscard]] std::vector<BlockRange> TakeChanges();

 private:
  [[nodiscard]] std::vector<Block>::iterator At(int64_t number);
  void Count(const Block& block, int64_t sign);

  mutable std::mutex mutex_;
  BlockSums sums_;
  std::vector<Block> blocks_;  // by number
  std::optional<std::vector<Block>> told_;
};

}  // namespace ballast::agent
