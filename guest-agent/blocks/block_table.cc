#include "guest-agent/blocks/block_table.h"

#include <algorithm>
#include <utility>

namespace ballast::agent {
namespace {

using kernel::BlockState;

bool IsBefore(const Block& block, int64_t number) { return block.number < number; }

BlockRange Told(const Block& block) {
  const bool online = block.state == BlockState::kOnline;
  return {block.number, 1, block.state, online ? block.zone : std::nullopt};
}

}  // namespace

BlockSums BlockTable::Sums() const {
  const std::lock_guard lock(mutex_);
  return sums_;
}

std::optional<Block> BlockTable::Find(int64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto at = std::lower_bound(blocks_.begin(), blocks_.end(), number, IsBefore);
  return at != blocks_.end() && at->number == number ? std::make_optional(*at) : std::nullopt;
}

std::vector<Block> BlockTable::All() const {
  const std::lock_guard lock(mutex_);
  return blocks_;
}

std::vector<Block>::iterator BlockTable::At(int64_t number) {
  const auto at = std::lower_bound(blocks_.begin(), blocks_.end(), number, IsBefore);
  return at != blocks_.end() && at->number == number ? at : blocks_.end();
}

void BlockTable::Count(const Block& block, int64_t sign) {
  const int64_t bytes = sign * sums_.block_size_bytes;
  const bool online = block.state == BlockState::kOnline;
  (online ? sums_.online_bytes : sums_.offline_bytes) += bytes;
  if (online && block.zone == kernel::ZoneKind::kMovable) sums_.movable_bytes += bytes;
  if (!online && block.failed) sums_.failed_bytes += bytes;
}

void BlockTable::Put(const Block& block) {
  const std::lock_guard lock(mutex_);
  auto at = std::lower_bound(blocks_.begin(), blocks_.end(), block.number, IsBefore);
  Block next = block;
  if (at != blocks_.end() && at->number == block.number) {
    Count(*at, -1);
    next.plugged = at->plugged || block.plugged;
    next.failed = block.state != BlockState::kOnline && (at->failed || block.failed);
    *at = next;
  } else {
    blocks_.insert(at, next);
  }
  Count(next, 1);
}

void BlockTable::Remove(int64_t number) {
  const std::lock_guard lock(mutex_);
  const auto at = At(number);
  if (at == blocks_.end()) return;
  Count(*at, -1);
  blocks_.erase(at);
}

void BlockTable::MarkPlugged(int64_t number) {
  const std::lock_guard lock(mutex_);
  if (const auto at = At(number); at != blocks_.end()) at->plugged = true;
}

void BlockTable::MarkFailed(int64_t number) {
  const std::lock_guard lock(mutex_);
  const auto at = At(number);
  if (at == blocks_.end()) return;
  Count(*at, -1);
  at->failed = at->state != BlockState::kOnline;
  Count(*at, 1);
}

void BlockTable::Reset(std::vector<Block> blocks) {
  const std::lock_guard lock(mutex_);
  blocks_ = std::move(blocks);
  sums_ = {.block_size_bytes = sums_.block_size_bytes};
  for (const Block& block : blocks_) Count(block, 1);
}

std::vector<BlockRange> BlockTable::TakeChanges() {
  const std::lock_guard lock(mutex_);
  std::vector<BlockRange> changes;
  if (told_) {
    auto old = told_->begin();
    for (const Block& block : blocks_) {
      for (; old != told_->end() && old->number < block.number; ++old) {
        Append({old->number, 1, std::nullopt, std::nullopt}, changes);
      }
      const bool known = old != told_->end() && old->number == block.number;
      if (!known || Told(*old) != Told(block)) Append(Told(block), changes);
      if (known) ++old;
    }
    for (; old != told_->end(); ++old) Append({old->number, 1, std::nullopt, std::nullopt}, changes);
  }
  told_ = blocks_;
  return changes;
}

}  // namespace ballast::agent
