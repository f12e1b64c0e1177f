// One change of one memory block: written by a helper, and what came of it read back.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/os/file_reader.h"
#include "guest-agent/act/helper.h"
#include "guest-agent/blocks/block_reader.h"

namespace ballast::agent {

enum class BlockWish : uint8_t { kOnlineKernel, kOnlineMovable, kOffline };

struct BlockOutcome {
  bool done = false;           // the block is as wished; it may be online in another zone
  std::optional<Stop> stop;    // the watch stopped it; the helper is gone then
  int error = 0;               // an errno, when it is not done
  std::string reason;          // why not, in one sentence
  std::optional<Block> block;  // as it is now; absent: there is no such block (any more)
};

// Errors: UNAVAILABLE when the helper has died.
[[nodiscard]] absl::StatusOr<BlockOutcome> WriteBlock(const FileReader& files, const BlockReader& reader,
                                                      Helper& helper, int64_t number, BlockWish wish,
                                                      const StopWatch& watch);

// "Movable", "none" for a block in several zones, empty for one that is not online.
[[nodiscard]] std::string_view ZoneTextOf(const std::optional<Block>& block);

}  // namespace ballast::agent
