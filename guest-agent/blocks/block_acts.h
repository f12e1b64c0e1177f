// Memory blocks brought online and taken offline because somebody asked for it, block by block, each with
// what became of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/os/clock.h"
#include "common/os/file_reader.h"
#include "guest-agent/act/act_types.h"
#include "guest-agent/act/brake.h"
#include "guest-agent/act/helper.h"
#include "guest-agent/blocks/block_keeper.h"
#include "guest-agent/blocks/block_plan.h"

namespace ballast::agent {

struct OnlineWish {
  std::vector<GuestRange> ranges{};  // blocks that lie wholly in one of these; empty: any
  int64_t bytes = 0;                 // at most so much, in whole blocks; 0: all
  ZoneChoice choice = ZoneChoice::kAuto;
};

struct OfflineWish {
  std::vector<GuestRange> ranges{};  // as above; empty: any that is not the boot's memory
  int64_t bytes = 0;                 // at least so much, in whole blocks; 0: all of `ranges`
  bool all_or_nothing = false;
  Nanos put_back_after{};  // 0: never
};

struct BlockResult {
  enum class Kind : uint8_t { kDone = 1, kFailed, kSkipped, kBroughtBack };
  int64_t number = 0;
  Kind kind = Kind::kDone;
  int error = 0;       // an errno
  std::string reason;  // of what failed or was skipped
  std::string zone;    // where it is now, when it is online
};

struct BlocksResult {
  int64_t bytes = 0;                // changed as wished by this call, and not brought back
  std::vector<BlockResult> blocks;  // one for each block that was asked for, by number
  Stop stop = Stop::kDone;
  Nanos took;
};

// Thread-safe. RESOURCE_EXHAUSTED while another call of the two is under way.
class BlockActs {
 public:
  struct Options {
    std::string root;  // see FileReader
    int64_t page_size_bytes = 4096;
    std::function<void(Nanos)> sleep{};  // empty: the thread's
  };

  // All three must outlive it.
  BlockActs(Options options, BlockKeeper& keeper, HelperStarter& helpers, const Clock& clock);
  BlockActs(const BlockActs&) = delete;
  BlockActs& operator=(const BlockActs&) = delete;

  // INVALID_ARGUMENT when a range holds no whole block, or bytes are less than one. As HelperStarter::Start
  // and Helper::Do while nothing has been changed; later that block has failed.
  [[nodiscard]] absl::StatusOr<BlocksResult> Online(const OnlineWish& wish, const Bounds& bounds);
  // Besides: FAILED_PRECONDITION when the guest is pressed, stalls more than the brake allows, or would be
  // pressed without the first block.
  [[nodiscard]] absl::StatusOr<BlocksResult> Offline(const OfflineWish& wish, const Bounds& bounds);

  [[nodiscard]] BlockKeeper& Keeper() { return keeper_; }

 private:
  class Work;

  [[nodiscard]] absl::StatusOr<std::vector<Block>> Named(const std::vector<GuestRange>& ranges) const;
  // Offline, one candidate after another, until `enough` are.
  [[nodiscard]] absl::StatusOr<BlocksResult> Take(const std::vector<Block>& candidates, size_t enough,
                                                  const OfflineWish& wish, Work& work);
  [[nodiscard]] absl::StatusOr<BlockOutcome> TakeOne(const Block& block, bool last, Work& work);
  void BringBack(const std::vector<Block>& taken, Work& work);

  const FileReader files_;
  const BrakeConfig brake_config_;
  const std::function<void(Nanos)> sleep_;
  BlockKeeper& keeper_;
  HelperStarter& helpers_;
  const Clock& clock_;
  std::atomic<bool> busy_{false};
};

}  // namespace ballast::agent
