// The one thread that hears of memory blocks: it brings new ones online at once, or has the kernel do it,
// keeps the table, says what has changed when it has settled, and brings back what was taken offline and then
// forgotten.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "common/os/clock.h"
#include "common/os/file_reader.h"
#include "guest-agent/act/helper.h"
#include "guest-agent/blocks/block_changes.h"
#include "guest-agent/blocks/block_claims.h"
#include "guest-agent/blocks/block_reader.h"
#include "guest-agent/blocks/block_table.h"
#include "guest-agent/blocks/block_write.h"
#include "guest-agent/blocks/keeper_wait.h"
#include "guest-agent/blocks/kernel_onlining.h"
#include "guest-agent/blocks/online_turns.h"
#include "guest-agent/blocks/put_backs.h"
#include "guest-agent/blocks/uevent_socket.h"

namespace ballast::agent {

class BlockKeeper {
 public:
  struct Options {
    std::string root;                  // see FileReader
    std::optional<ZoneChoice> online;  // where new blocks go; absent: they are left as they are
    int64_t page_size_bytes = 4096;
    std::function<void()> on_thread_start;  // may be empty
    // What `online` allows is left to the kernel, which is quicker. Null: it does nothing, or what it likes.
    KernelOnlining* kernel = nullptr;
  };
  // Neighbours that changed alike, by number; from the keeper's thread.
  using OnChange = std::function<void(const std::vector<BlockRange>&)>;

  // Has searched once when it returns. Without `events` it searches every second instead of being told.
  // `helpers`, `clock` and `kernel` must outlive it. Errors: as BlockReader's.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<BlockKeeper>> Open(Options options,
                                                                         std::unique_ptr<UeventSource> events,
                                                                         HelperStarter& helpers,
                                                                         const Clock& clock);
  ~BlockKeeper();
  BlockKeeper(const BlockKeeper&) = delete;
  BlockKeeper& operator=(const BlockKeeper&) = delete;

  // Tells the kernel what to do with what is plugged next; from Start on its thread does when that changes.
  // Errors: as KernelOnlining's; NOT_FOUND without one.
  absl::Status SteerKernel();
  // From here on blocks come online, those first that are offline now: an unplugging that died with an
  // earlier agent is undone.
  [[nodiscard]] absl::Status Start(OnChange on_change);
  // What was taken offline and is to come back does so now, as far as 2 s allow. Orders must have ended.
  void Stop();

  // All thread-safe.
  [[nodiscard]] BlockTable& Table() { return table_; }
  [[nodiscard]] const BlockReader& Reader() const { return reader_; }
  [[nodiscard]] ZoneShape Shape() const;
  // What `number` is now, as its reader has just seen it; it is told with the next changes. Thread-safe.
  void Note(int64_t number, const std::optional<Block>& block);
  // Brings the block back online at that time, into Movable or a zone of the kernel's, should it still be
  // there and offline. Replaces an earlier one. Thread-safe.
  void PutBackAt(int64_t number, bool movable, MonotonicTime at);
  // To be held from before a block is read and taken offline until nobody is to believe it online any more.
  [[nodiscard]] BlockClaims& Claims() { return claims_; }

 private:
  BlockKeeper(Options options, std::unique_ptr<UeventSource> events, BlockReader reader,
              HelperStarter& helpers, const Clock& clock);
  void Run();
  void TakeNews();
  void Hear(const kernel::BlockUevent& event);
  void Search();
  void Appeared(const Block& block);
  void Changed(const Block& block);
  void Vanished(int64_t number);
  void MarkChanged(int64_t number);
  void PutBackDue();
  [[nodiscard]] std::vector<Block> Due();
  void OnlineSome();
  // Of what the kernel has just made Movable the lowest, as far as its own zones need it.
  void GiveKernelItsPart();
  [[nodiscard]] bool MoveToKernel(int64_t number);
  [[nodiscard]] StopWatch WatchFor(Nanos limit) const;
  // False: no helper could be had; all that is wanted waits.
  [[nodiscard]] bool BringOnline(int64_t number, bool movable);
  [[nodiscard]] bool HaveHelper();
  void Failed(int64_t number, std::string_view reason);
  void BringBackAtTheEnd();
  void Announce();
  [[nodiscard]] std::optional<MonotonicTime> NextTime() const;
  void Wait();

  const Options options_;
  const FileReader files_;
  const std::unique_ptr<UeventSource> events_;
  const BlockReader reader_;
  HelperStarter& helpers_;
  const Clock& clock_;
  BlockTable table_;
  OnChange on_change_;
  KeeperWait wait_;
  PutBacks put_backs_;
  BlockClaims claims_;
  BlockChanges changes_;  // since the last announcement

  // Of the keeper's thread alone.
  std::unique_ptr<Helper> helper_;  // warm: starting one takes longer than a block
  OnlineTurns turns_;               // of what is to be brought online
  std::optional<MonotonicTime> no_helper_until_;
  std::optional<MonotonicTime> search_at_;
  PutBacks::Zones owed_;                 // what it took offline itself, or let go too long, until it is back
  std::optional<MonotonicTime> end_by_;  // it brings back what is owed, and no longer than until then

  std::atomic<bool> steer_{true};  // something has changed since the kernel was told
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace ballast::agent
