// The one thread that looks at the guest. It samples as often as its most demanding watcher needs, or sleeps
// while a watch in the kernel looks in its place and nothing happens; while nobody watches it blocks without
// looking.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "common/os/clock.h"
#include "common/os/unique_fd.h"
#include "guest-agent/bpf/memory_watch.h"
#include "guest-agent/oom/verdict_log.h"
#include "guest-agent/sensors/psi_trigger.h"
#include "guest-agent/sensors/sampler.h"
#include "guest-agent/sensors/sensors.h"
#include "guest-agent/service/watch_stream.h"

namespace ballast::agent {

class SampleLoop {
 public:
  static constexpr size_t kMaxWatchers = 16;

  struct Options {
    int64_t assumed_burst_bytes_per_second = kGiB;
    int64_t page_size_bytes = 4 * kKiB;
    std::function<void()>
        on_thread_start;  // in each thread a report passes, to set its priority; may be empty
    // All must outlive the loop; null and empty: none.
    const VerdictLog* verdicts = nullptr;  // for newcomers
    uint64_t generation = 0;               // of these verdicts
    std::function<std::optional<StallCounts>()> reclaim_stalls{};
    std::function<std::optional<BlockFacts>()> blocks{};
    MemoryWatch* watch = nullptr;  // of this loop alone from its start on
  };

  // `clock` must outlive the loop. Errors: the kernel's, when it gives no descriptor.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<SampleLoop>> Start(Sensors sensors,
                                                                         std::optional<PsiTrigger> trigger,
                                                                         const Clock& clock, Options options);
  ~SampleLoop();
  SampleLoop(const SampleLoop&) = delete;
  SampleLoop& operator=(const SampleLoop&) = delete;

  // From now on the stream gets its hello, the verdicts it does not know, reports and events.
  // RESOURCE_EXHAUSTED when kMaxWatchers watch, UNAVAILABLE when the loop was stopped. Waits a moment for
  // those whose client has left. Thread-safe.
  [[nodiscard]] absl::Status Add(std::shared_ptr<WatchStream> stream);
  // To be called once for each added stream, when it is over. Thread-safe.
  void Leave();

  // Offers the event to everybody who watches now; a newcomer gets it after its hello. Returns how many that
  // were. Takes no longer than 2 * kMaxWatchers short locks and allocates nothing. Thread-safe.
  size_t Broadcast(const EventFacts& event);

  // In a thread that passes reports on: it gets the sampling thread's priority, for as long as it lives.
  void PrepareThisThread() const;

  // Ends every stream with UNAVAILABLE and joins the thread. Thread-safe, may be repeated.
  void Stop();

 private:
  struct Watcher {
    std::shared_ptr<WatchStream> stream;
    std::optional<SamplePlan> plan;  // none before the first sample
    MonotonicTime next_at;
    std::optional<Rest> rest;  // what its plan allows since the last sample
  };
  // Why the thread woke, beside that a sample is due or somebody came.
  struct Fired {
    bool trigger = false;
    bool watch = false;
  };
  // What the watch was ordered to look at.
  struct Resting {
    MonotonicTime since;
    MonotonicTime until;
    int64_t left_bytes = 0;
  };

  SampleLoop(Sensors sensors, std::optional<PsiTrigger> trigger, const Clock& clock, Options options,
             UniqueFd wake);
  void Run();
  void Wake();
  [[nodiscard]] bool Adopt();
  [[nodiscard]] MonotonicTime NextAt() const;
  [[nodiscard]] Fired Wait();
  void Look(MonotonicTime now, Fired fired);
  void GoToRest(const Readings& readings);
  [[nodiscard]] std::optional<Sample::Glimpse> LastGlimpse() const;
  void OfferKept(WatchStream& stream) const;
  [[nodiscard]] ReportFacts FactsOf(const Readings& readings, const Step& step) const;
  void Greet(Watcher& watcher, const Readings& readings, const Sample& sample);
  void Tell(Watcher& watcher, const Readings& readings, const Sample& sample);

  const Clock& clock_;
  const Options options_;
  const UniqueFd wake_;

  // Of the sampling thread alone.
  Sensors sensors_;
  std::optional<PsiTrigger> trigger_;
  std::vector<Watcher> watchers_;
  std::optional<Resting> resting_;

  std::mutex mutex_;
  std::vector<std::shared_ptr<WatchStream>> arrivals_;
  std::vector<std::shared_ptr<WatchStream>> present_;  // from Add on, until the sampling thread sees it over
  size_t live_ = 0;                                    // added and not left
  std::condition_variable left_;                       // live_ fell, or stopping_
  bool departure_suspected_ = false;
  bool stopping_ = false;
  std::once_flag joined_;
  std::thread thread_;
};

}  // namespace ballast::agent
