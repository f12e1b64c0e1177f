// Watches for OOM kills with all that this guest offers, whether anybody listens or not: a thread of its own,
// asleep until the kernel's programs or its log have something, or the count of kills is to be compared.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "common/kernel/vmstat_parser.h"
#include "common/os/clock.h"
#include "common/os/file_reader.h"
#include "common/os/pinned_file.h"
#include "common/os/unique_fd.h"
#include "guest-agent/bpf/kernel_probe.h"
#include "guest-agent/oom/kmsg_reader.h"
#include "guest-agent/oom/oom_listener.h"
#include "guest-agent/oom/signal_source.h"
#include "guest-agent/oom/verdict_plan.h"

namespace ballast::agent {

class OomWatch : private KernelListener {
 public:
  struct Options {
    bool bpf = true;
    bool kmsg = true;
    int64_t page_size_bytes = 4096;
    std::function<void()> on_thread_start{};  // to set its priority; may be empty
  };

  // The kernel's counters, and how they stood at the start.
  struct Counter {
    std::optional<PinnedFile> file;
    kernel::Vmstat first;
  };

  // Opens what there is: to be done first of all, then nothing that happens while the agent starts is missed.
  // A source that is missing is no error: Sources() says why. Loads the programs, so: before memory is
  // locked. Errors: no descriptor to wake the thread by. `clock` must outlive the watch.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<OomWatch>> Open(const FileReader& files,
                                                                      const Clock& clock, Options options);
  // The same with a log of the caller's.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<OomWatch>> OpenWithLog(const FileReader& files,
                                                                             const Clock& clock,
                                                                             Options options,
                                                                             KmsgReader kmsg);
  ~OomWatch() override;
  OomWatch(const OomWatch&) = delete;
  OomWatch& operator=(const OomWatch&) = delete;

  [[nodiscard]] const std::vector<SignalSource>& Sources() const { return sources_; }
  // Why BPF and the log are not in use; empty: they are.
  [[nodiscard]] const std::string& BpfReason() const { return probe_.Reasons().oom_kill; }
  [[nodiscard]] const std::string& KmsgReason() const { return kmsg_reason_; }
  // Since the agent started; nothing without BPF. Thread-safe.
  [[nodiscard]] std::optional<StallCounts> Stalls() const { return probe_.Stalls(); }
  // What came with the programs beside; null, and why, without it. Lives as long as this.
  [[nodiscard]] MemoryWatch* Memory() const { return probe_.Watch(); }
  [[nodiscard]] const std::string& MemoryReason() const { return probe_.Reasons().memory_watch; }

  // From now on the listener hears. Once. It must live until Stop. What happened since Open is told first.
  void Start(OomListener& listener);
  // Joins the thread; may be repeated.
  void Stop();

 private:
  OomWatch(const FileReader& files, const Clock& clock, Options options, Counter counter,
           absl::StatusOr<KmsgReader> kmsg, KernelProbe probe, UniqueFd wake);
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<OomWatch>> Build(const FileReader& files,
                                                                       const Clock& clock, Options options,
                                                                       Counter counter,
                                                                       absl::StatusOr<KmsgReader> kmsg);
  void FillSources(const kernel::Vmstat& counters);
  void Run();
  void Wait();
  void ReadLog();
  std::optional<kernel::Vmstat> Count(MonotonicTime now);
  void Look(MonotonicTime now);
  void LookIfOlder(Nanos age, MonotonicTime now);
  void OnOomBegins(const ballast_oom_begins& event) override;
  void OnOomKill(const ballast_oom_kill& event) override;
  void OnStall(const ballast_stall& event) override;

  const Clock& clock_;
  const Options options_;
  std::optional<KmsgReader> kmsg_;
  const std::string kmsg_reason_;
  KernelProbe probe_;
  std::optional<PinnedFile> vmstat_;
  std::optional<PinnedFile> meminfo_;
  std::vector<SignalSource> sources_;
  const UniqueFd wake_;

  // Of the thread.
  OomListener* listener_ = nullptr;
  VerdictPlan plan_;
  GuestCondition condition_;
  std::optional<MonotonicTime> condition_at_;
  MonotonicTime next_count_at_;

  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace ballast::agent
