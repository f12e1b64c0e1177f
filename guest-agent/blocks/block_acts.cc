#include "guest-agent/blocks/block_acts.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "guest-agent/act/turn.h"

namespace ballast::agent {
namespace {

using kernel::BlockState;
using kernel::ZoneKind;
using Kind = BlockResult::Kind;

// A block whose pages are held for a moment leaves soon after; the kernel has tried a few times itself.
constexpr int kTries = 3;
constexpr Nanos kBetweenTries = Milliseconds(100);
// A block that will not leave gets half of the time that is left, at least so much.
constexpr Nanos kShortestTry = Seconds(1);
// And no more than moving its pages can take: the rest of a long call is the other blocks'.
constexpr Nanos kLongestTry = Seconds(15);
constexpr Nanos kMoreForEachGib = Seconds(8);
// Kept of the call's time, at most a quarter of it: a helper has to be killed, and what went has to come
// back.
constexpr Nanos kReserve = Seconds(2);
// What was taken comes back even when the call's time is over.
constexpr Nanos kBringBackLimit = Seconds(10);

constexpr char kTaken[] = "memory blocks are being brought online or taken offline already";

// `pressure`: what the brake saw.
std::string WhyNotTried(Stop stop, const std::string& pressure) {
  switch (stop) {
    case Stop::kPressure:
      return "not tried: " + pressure;
    case Stop::kDeadline:
      return "not tried: the call's time was over";
    case Stop::kCancelled:
      return "not tried: the caller left";
    case Stop::kExhausted:
      return "not tried: too little can go, and all or nothing was asked for";
    case Stop::kDone:
      break;
  }
  return "not tried: enough without it";
}

}  // namespace

// One call: its helper, its watch and its results.
class BlockActs::Work {
 public:
  Work(BlockActs& acts, const Bounds& bounds, Brake* brake)
      : acts_(acts), bounds_(bounds), brake_(brake), began_(acts.clock_.Now()) {
    deadline_ = began_ + bounds.within - std::min(kReserve, bounds.within / 4);
  }

  [[nodiscard]] MonotonicTime Now() const { return acts_.clock_.Now(); }
  [[nodiscard]] MonotonicTime Deadline() const { return deadline_; }
  [[nodiscard]] std::optional<Stop> Look(MonotonicTime until) {
    if (bounds_.cancelled && bounds_.cancelled()) return Stop::kCancelled;
    if (Now() >= until) return Stop::kDeadline;
    const auto pressure = brake_ != nullptr ? brake_->Look(Now()) : std::nullopt;
    if (!pressure) return std::nullopt;
    pressure_ = *pressure;
    return Stop::kPressure;
  }
  [[nodiscard]] bool WouldPress(int64_t block_bytes) {
    const int64_t available = brake_->AvailableBytes();
    const int64_t pressed_below = brake_->PressedBelowBytes();
    if (available - block_bytes >= pressed_below) return false;
    pressure_ = StrCat("the guest would be pressed without a block of ", FormatSize(block_bytes), ": ",
                       FormatSize(available), " available, pressed below ", FormatSize(pressed_below));
    return true;
  }
  [[nodiscard]] const std::string& Pressure() const { return pressure_; }
  // Writes, and tells the keeper what came of it. What went offline stays claimed until the call ends: it may
  // come back.
  absl::StatusOr<BlockOutcome> Do(int64_t number, BlockWish wish, const StopWatch& watch) {
    if (!helper_) {
      auto helper = acts_.helpers_.Start();
      if (!helper.ok()) return helper.status();
      helper_ = *std::move(helper);
    }
    if (wish == BlockWish::kOffline && !Claim(number)) {
      return BlockOutcome{.done = false,
                          .stop = std::nullopt,
                          .error = EBUSY,
                          .reason = "the agent is moving it to the kernel's zones",
                          .block = acts_.keeper_.Reader().Read(number)};
    }
    auto outcome = WriteBlock(acts_.files_, acts_.keeper_.Reader(), *helper_, number, wish, watch);
    if (!outcome.ok() || outcome->stop) helper_.reset();
    if (outcome.ok()) acts_.keeper_.Note(number, outcome->block);
    return outcome;
  }
  void Add(int64_t number, Kind kind, int error, std::string reason, const std::optional<Block>& block) {
    results_[number] = {number, kind, error, std::move(reason), std::string(ZoneTextOf(block))};
  }
  // No helper carried it out; what became of others is still to be told.
  void Fail(const Block& block, const absl::Status& status) {
    Add(block.number, Kind::kFailed, EAGAIN, MessageOf(status), acts_.keeper_.Reader().Read(block.number));
    why_none_ = StrCat("not tried: ", MessageOf(status));
  }
  void Skip(const Block& block, std::string reason) {
    Add(block.number, Kind::kSkipped, 0, std::move(reason), block);
  }
  void Skip(const Block& block, Stop why) {
    Skip(block, why_none_.empty() ? WhyNotTried(why, pressure_) : why_none_);
  }

  [[nodiscard]] BlocksResult End(int64_t blocks, Stop stop) {
    BlocksResult result{blocks * acts_.keeper_.Reader().BlockSizeBytes(), {}, stop, Now() - began_};
    for (auto& [number, one] : results_) result.blocks.push_back(std::move(one));
    return result;
  }

 private:
  bool Claim(int64_t number) {
    if (claims_.contains(number)) return true;
    auto claim = acts_.keeper_.Claims().Take(number);
    return claim && claims_.emplace(number, *std::move(claim)).second;
  }

  BlockActs& acts_;
  const Bounds& bounds_;
  Brake* const brake_;
  const MonotonicTime began_;
  MonotonicTime deadline_;
  std::unique_ptr<Helper> helper_;
  std::map<int64_t, BlockClaims::Claim> claims_;
  std::map<int64_t, BlockResult> results_;
  std::string pressure_;  // what last spoke against taking more; empty: nothing did
  std::string why_none_;  // why there is no helper any more; empty: there is
};

BlockActs::BlockActs(Options options, BlockKeeper& keeper, HelperStarter& helpers, const Clock& clock)
    : files_(options.root),
      brake_config_{.page_size_bytes = options.page_size_bytes, .exhaustion_horizon = {}},
      sleep_(SleepOr(std::move(options.sleep))),
      keeper_(keeper),
      helpers_(helpers),
      clock_(clock) {}

absl::StatusOr<std::vector<Block>> BlockActs::Named(const std::vector<GuestRange>& ranges) const {
  const std::vector<Block> all = keeper_.Table().All();
  const int64_t size = keeper_.Reader().BlockSizeBytes();
  for (size_t i = 0; i < ranges.size(); ++i) {
    const bool any = std::any_of(all.begin(), all.end(), [&](const Block& block) {
      return LiesWithin(block.number, size, {ranges[i]});
    });
    if (any) continue;
    return absl::InvalidArgumentError(
        StrCat("ranges[", i, "] (", ranges[i].bytes, " bytes from ", ranges[i].address,
               ") holds no whole memory block; blocks here have ", size, " bytes"));
  }
  std::vector<Block> named;
  std::copy_if(all.begin(), all.end(), std::back_inserter(named),
               [&](const Block& block) { return LiesWithin(block.number, size, ranges); });
  return named;
}

absl::StatusOr<BlocksResult> BlockActs::Online(const OnlineWish& wish, const Bounds& bounds) {
  const Turn turn(busy_);
  if (auto status = turn.Taken(kTaken); !status.ok()) return status;
  const int64_t size = keeper_.Reader().BlockSizeBytes();
  if (wish.bytes != 0 && wish.bytes < size) {
    return absl::InvalidArgumentError(
        StrCat("bytes is ", wish.bytes, "; allowed: 0 (all) or one block (", size, ") and more"));
  }
  const auto named = Named(wish.ranges);
  if (!named.ok()) return named.status();
  Work work(*this, bounds, nullptr);
  const size_t at_most = wish.bytes == 0 ? SIZE_MAX : static_cast<size_t>(wish.bytes / size);
  std::vector<Block> offline;
  for (const Block& block : *named) {
    if (block.state == BlockState::kOnline) {
      if (!wish.ranges.empty()) work.Add(block.number, Kind::kDone, 0, "", block);
    } else if (block.state == BlockState::kGoingOffline) {
      work.Skip(block, "not tried: it is going offline");
    } else if (offline.size() == at_most) {
      work.Skip(block, Stop::kDone);
    } else {
      offline.push_back(block);
    }
  }
  int64_t online = 0;
  bool refused = false;
  std::optional<Stop> stop;
  for (const OnlineStep& step : PlanOnline(offline, wish.choice, keeper_.Shape(), size)) {
    if (!stop) stop = work.Look(work.Deadline());
    if (stop) {
      work.Skip({.number = step.number}, *stop);
      continue;
    }
    const auto outcome =
        work.Do(step.number, step.movable ? BlockWish::kOnlineMovable : BlockWish::kOnlineKernel,
                [&work] { return work.Look(work.Deadline()); });
    if (!outcome.ok()) {
      if (online == 0) return outcome.status();
      work.Fail({.number = step.number}, outcome.status());
      stop = Stop::kExhausted;
      continue;
    }
    if (outcome->done) {
      work.Add(step.number, Kind::kDone, 0, "", outcome->block);
      ++online;
    } else {
      work.Add(step.number, Kind::kFailed, outcome->error, outcome->reason, outcome->block);
      refused = true;
    }
    stop = outcome->stop;
  }
  return work.End(online, stop.value_or(refused ? Stop::kExhausted : Stop::kDone));
}

absl::StatusOr<BlocksResult> BlockActs::Offline(const OfflineWish& wish, const Bounds& bounds) {
  const Turn turn(busy_);
  if (auto status = turn.Taken(kTaken); !status.ok()) return status;
  const int64_t size = keeper_.Reader().BlockSizeBytes();
  if (wish.ranges.empty() && wish.bytes == 0) {
    return absl::InvalidArgumentError(
        "bytes is 0 and ranges is empty; say how much is to go offline, or which");
  }
  const auto named = Named(wish.ranges);
  if (!named.ok()) return named.status();
  BrakeConfig config = brake_config_;
  config.stall_permyriad = bounds.brake_permyriad;
  Brake brake(files_, config);
  if (auto status = Examine(brake, clock_, sleep_); !status.ok()) return status;
  Work work(*this, bounds, &brake);
  std::vector<Block> candidates;
  for (const Block& block : *named) {
    if (block.state == BlockState::kOffline) {
      if (!wish.ranges.empty()) work.Add(block.number, Kind::kDone, 0, "", block);
    } else if (wish.ranges.empty() && !IsOfferedUnnamed(block)) {
      continue;
    } else if (block.state == BlockState::kGoingOffline) {
      work.Skip(block, "not tried: somebody else takes it offline");
    } else if (!block.zone) {
      work.Add(block.number, Kind::kFailed, EINVAL,
               "it lies in several zones or has holes, so it never leaves", block);
    } else {
      candidates.push_back(block);
    }
  }
  const size_t in_vain =
      static_cast<size_t>(std::count_if(named->begin(), named->end(), [&](const Block& block) {
        return !wish.ranges.empty() && block.state == BlockState::kOnline && !block.zone;
      }));
  const size_t enough =
      wish.bytes == 0 ? candidates.size() + in_vain : static_cast<size_t>((wish.bytes - 1) / size + 1);
  return Take(OrderOffline(candidates), enough, wish, work);
}

absl::StatusOr<BlocksResult> BlockActs::Take(const std::vector<Block>& candidates, size_t enough,
                                             const OfflineWish& wish, Work& work) {
  const int64_t size = keeper_.Reader().BlockSizeBytes();
  std::vector<Block> taken;
  std::optional<Stop> stop;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const Block& block = candidates[i];
    if (taken.size() >= enough) stop = Stop::kDone;
    const size_t at_most = taken.size() + candidates.size() - i;
    if (!stop && wish.all_or_nothing && at_most < enough) stop = Stop::kExhausted;
    if (!stop) stop = work.Look(work.Deadline());
    if (!stop && work.WouldPress(size)) {
      if (taken.empty()) return absl::FailedPreconditionError(work.Pressure());
      stop = Stop::kPressure;
    }
    if (stop) {
      work.Skip(block, *stop);
      continue;
    }
    const auto outcome = TakeOne(block, i + 1 == candidates.size(), work);
    if (!outcome.ok()) {
      if (taken.empty()) return outcome.status();
      work.Fail(block, outcome.status());
      stop = Stop::kExhausted;
      continue;
    }
    if (outcome->done) {
      taken.push_back(block);
      work.Add(block.number, Kind::kDone, 0, "", outcome->block);
      if (wish.put_back_after > Nanos{0}) {
        keeper_.PutBackAt(block.number, block.zone == ZoneKind::kMovable, work.Now() + wish.put_back_after);
      }
      continue;
    }
    work.Add(block.number, Kind::kFailed, outcome->error, outcome->reason, outcome->block);
    // Over its own time alone, others may still have some.
    if (outcome->stop && (outcome->stop != Stop::kDeadline || work.Now() >= work.Deadline()))
      stop = outcome->stop;
  }
  const bool all = taken.size() >= enough;
  if (!all && wish.all_or_nothing) BringBack(taken, work);
  const Stop end = all ? Stop::kDone : stop.value_or(Stop::kExhausted);
  return work.End(!all && wish.all_or_nothing ? 0 : static_cast<int64_t>(taken.size()), end);
}

absl::StatusOr<BlockOutcome> BlockActs::TakeOne(const Block& block, bool last, Work& work) {
  const Nanos left = work.Deadline() - work.Now();
  const int64_t mib = keeper_.Reader().BlockSizeBytes() / kMiB;
  const Nanos longest = kLongestTry + Nanos{mib * (kMoreForEachGib.count / 1024)};
  const Nanos share = last ? left : std::max(kShortestTry, left / 2);
  const MonotonicTime until = work.Now() + std::min({left, share, longest});
  const auto watch = [&work, until] { return work.Look(until); };
  for (int tries = 1;; ++tries) {
    auto outcome = work.Do(block.number, BlockWish::kOffline, watch);
    const bool again = outcome.ok() && !outcome->done && !outcome->stop &&
                       (outcome->error == EBUSY || outcome->error == EAGAIN);
    if (!again || tries == kTries || work.Look(until)) return outcome;
    sleep_(kBetweenTries);
  }
}

void BlockActs::BringBack(const std::vector<Block>& taken, Work& work) {
  const MonotonicTime until = work.Now() + kBringBackLimit;
  for (const Block& block : taken) {
    const bool movable = block.zone == ZoneKind::kMovable;
    const auto outcome = work.Do(
        block.number, movable ? BlockWish::kOnlineMovable : BlockWish::kOnlineKernel,
        [&work, until] { return work.Now() >= until ? std::make_optional(Stop::kDeadline) : std::nullopt; });
    if (outcome.ok() && outcome->done) {
      work.Add(block.number, Kind::kBroughtBack, 0, "", outcome->block);
      continue;
    }
    keeper_.PutBackAt(block.number, movable, work.Now());  // it goes on trying
    work.Add(block.number, Kind::kFailed, outcome.ok() ? outcome->error : EAGAIN,
             StrCat("it went offline and does not come back yet: ",
                    outcome.ok() ? outcome->reason : MessageOf(outcome.status())),
             std::nullopt);
  }
}

}  // namespace ballast::agent
