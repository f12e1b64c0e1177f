#include "guest-agent/blocks/block_write.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "common/base/text.h"

namespace ballast::agent {
namespace {

using kernel::BlockState;

const char* TextOf(BlockWish wish) {
  switch (wish) {
    case BlockWish::kOnlineKernel:
      return "online_kernel";
    case BlockWish::kOnlineMovable:
      return "online_movable";
    case BlockWish::kOffline:
      break;
  }
  return "offline";
}

// `stop`: why it was stopped, if it was.
std::string ReasonFor(int error, std::optional<Stop> stop, BlockWish wish,
                      const std::optional<Block>& block) {
  const bool offline = wish == BlockWish::kOffline;
  if (!block || error == ENOENT || error == ENODEV) return "the block is gone";
  switch (error) {
    case EBUSY:
      return offline ? "pages of it are in use and cannot be moved: the kernel or a device holds them"
                     : "the kernel is busy with it";
    case EINVAL:
      if (offline && !block->zone) return "it lies in several zones or has holes, so it never leaves";
      return StrCat("the kernel allows no '", TextOf(wish), "' for it");
    case EINTR:
      if (stop == Stop::kPressure)
        return "stopped while its pages were being moved: the guest came to be short of memory";
      if (stop == Stop::kCancelled) return "stopped while its pages were being moved: the caller left";
      return "moving its pages came to no end: they are pinned, or there is no room for them elsewhere";
    case ENOMEM:
      return "the kernel's own zones have no memory to set it up";
    case EACCES:
    case EPERM:
    case EROFS:
      return StrCat("the agent may not write its state: ", std::strerror(error));
    default:
      return std::strerror(error);
  }
}

// A helper that was killed inside the kernel undoes its work when it is next scheduled; on a busy guest that
// takes some time.
std::optional<Block> ReadSettled(const BlockReader& reader, int64_t number, bool stopped) {
  constexpr auto kPause = std::chrono::milliseconds(10);
  constexpr int kLooks = 200;
  std::optional<Block> block = reader.Read(number);
  for (int look = 0; stopped && look < kLooks && block && block->state == BlockState::kGoingOffline; ++look) {
    std::this_thread::sleep_for(kPause);
    block = reader.Read(number);
  }
  return block;
}

}  // namespace

absl::StatusOr<BlockOutcome> WriteBlock(const FileReader& files, const BlockReader& reader, Helper& helper,
                                        int64_t number, BlockWish wish, const StopWatch& watch) {
  const auto written =
      helper.Do({OrderKind::kWrite, files.PathOf(BlockReader::StatePath(number)), TextOf(wish)}, watch);
  if (!written.ok()) return written.status();
  const BlockState wanted = wish == BlockWish::kOffline ? BlockState::kOffline : BlockState::kOnline;
  BlockOutcome outcome;
  outcome.stop = written->stop;
  outcome.block = ReadSettled(reader, number, written->stop.has_value());
  // Somebody else may have done it meanwhile: the kernel then refuses to do it again, with EINVAL.
  outcome.done = outcome.block && outcome.block->state == wanted;
  if (outcome.done) return outcome;
  // Undone again before it could be read counts as refused.
  outcome.error = written->stop ? EINTR : written->error != 0 ? written->error : EAGAIN;
  outcome.reason = ReasonFor(outcome.error, outcome.stop, wish, outcome.block);
  return outcome;
}

std::string_view ZoneTextOf(const std::optional<Block>& block) {
  if (!block || block->state != BlockState::kOnline) return "";
  return block->zone ? kernel::NameOf(*block->zone) : "none";
}

}  // namespace ballast::agent
