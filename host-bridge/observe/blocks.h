// What a guest's agent is asked to do with memory blocks, and what it said became of it. Values only; the
// guest's own words are checked by convert_blocks.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/time.h"

namespace ballast::observe {

// Of guest-physical addresses.
struct AddressRange {
  int64_t address = 0;
  int64_t bytes = 0;

  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

enum class BlockAction : uint8_t { kList, kOnline, kOffline };

struct BlockOrder {
  uint64_t id = 0;  // the caller's, back in the receipt
  BlockAction action = BlockAction::kList;
  std::vector<AddressRange> ranges = {};  // at most 256; empty: any block
  int64_t bytes = 0;                      // 0: all
  bool all_or_nothing = false;            // offline: what cannot leave as a whole stays as a whole
  // Offline: the agent brings the blocks back by itself so long after, should nobody unplug them. 0: never.
  Nanos put_back_after = {};
  Nanos deadline = Seconds(30);

  friend bool operator==(const BlockOrder&, const BlockOrder&) = default;
};

enum class BlockState : uint8_t { kOffline, kGoingOffline, kOnline };

// Neighbouring blocks of one state and zone.
struct BlockSpan {
  AddressRange range;
  BlockState state = BlockState::kOffline;
  bool movable = false;  // online in zone Movable: can go offline again

  friend bool operator==(const BlockSpan&, const BlockSpan&) = default;
};

// A block for which the order could not be carried out.
struct BlockRefusal {
  int64_t address = 0;
  int32_t error = 0;   // an errno; 0: it was not tried
  std::string reason;  // printable, at most 200 bytes

  friend bool operator==(const BlockRefusal&, const BlockRefusal&) = default;
};

struct BlockReceipt {
  uint64_t id = 0;
  // OK: the agent answered, see what it did. UNAVAILABLE: no link, or it broke meanwhile, or the order was
  // called off; it may have happened. Else the agent's refusal: nothing was done.
  absl::Status status = {};
  int64_t block_bytes = 0;    // the guest's; 0: not said
  int64_t changed_bytes = 0;  // what went online or offline and stayed so
  bool pressed = false;       // the agent stopped early, for the guest was pressed or its tasks stalled
  std::vector<BlockRefusal> refused = {};  // by address, at most 4096
  std::vector<BlockSpan> spans = {};       // kList: all blocks, by address

  friend bool operator==(const BlockReceipt&, const BlockReceipt&) = default;
};

}  // namespace ballast::observe
