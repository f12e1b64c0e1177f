#include "guest-agent/oom/oom_watch.h"

#include <malloc.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "common/base/text.h"
#include "common/kernel/meminfo_parser.h"
#include "common/kernel/vmstat_parser.h"
#include "guest-agent/oom/kernel_facts.h"

namespace ballast::agent {
namespace {

constexpr size_t kVmstatCapacity = 32 * 1024;
constexpr size_t kMeminfoCapacity = 8 * 1024;
// How often the kernel's count is compared: rarely where it only checks on better sources.
constexpr Nanos kCountGap = Seconds(5);
constexpr Nanos kCountGapAlone = Milliseconds(250);
// A verdict is judged by the guest's condition when the search for a victim began: a moment later the host
// may have given way already.
constexpr Nanos kConditionAge = Seconds(1);
constexpr Nanos kFreshCondition = Milliseconds(50);
// Records of the log read at one go; others may write there, too.
constexpr int kRecordsAtOnce = 4096;
constexpr const char* kTurnedOff = "turned off by the configuration";

std::optional<PinnedFile> OpenIfReadable(const FileReader& files, const char* path, size_t capacity) {
  auto file = PinnedFile::Open(files, path, capacity);
  if (!file.ok() || !file->Read().ok()) return std::nullopt;
  return *std::move(file);
}

std::optional<kernel::Vmstat> ReadCounters(std::optional<PinnedFile>& file) {
  if (!file) return std::nullopt;
  const auto text = file->Read();
  if (!text.ok()) return std::nullopt;
  const auto counters = kernel::ParseVmstat(*text);
  if (!counters.ok()) return std::nullopt;
  return *counters;
}

KernelProbe LoadProbe(const FileReader& files, bool wanted) {
  if (!wanted) return KernelProbe::None(kTurnedOff);
  // Below another root the files tell of a guest that is not this kernel's.
  if (files.PathOf("/") != "/") return KernelProbe::None("another root is looked at, not this kernel");
  KernelProbe probe = KernelProbe::Load();
  // What it took to load them is free now, and would else be used, a bit here and a bit there, for what is
  // kept.
  ::malloc_trim(0);
  return probe;
}

// What is counted from now on, and nothing that a log opened later does not tell of.
OomWatch::Counter OpenCounter(const FileReader& files) {
  OomWatch::Counter counter{.file = OpenIfReadable(files, "/proc/vmstat", kVmstatCapacity), .first = {}};
  counter.first = ReadCounters(counter.file).value_or(kernel::Vmstat{});
  return counter;
}

}  // namespace

absl::StatusOr<std::unique_ptr<OomWatch>> OomWatch::Open(const FileReader& files, const Clock& clock,
                                                         Options options) {
  auto counter = OpenCounter(files);
  auto kmsg = options.kmsg ? KmsgReader::Open(files) : absl::FailedPreconditionError(kTurnedOff);
  return Build(files, clock, std::move(options), std::move(counter), std::move(kmsg));
}

absl::StatusOr<std::unique_ptr<OomWatch>> OomWatch::OpenWithLog(const FileReader& files, const Clock& clock,
                                                                Options options, KmsgReader kmsg) {
  return Build(files, clock, std::move(options), OpenCounter(files), std::move(kmsg));
}

absl::StatusOr<std::unique_ptr<OomWatch>> OomWatch::Build(const FileReader& files, const Clock& clock,
                                                          Options options, Counter counter,
                                                          absl::StatusOr<KmsgReader> kmsg) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.IsOpen()) return ErrnoStatus(errno, "eventfd");
  KernelProbe probe = LoadProbe(files, options.bpf);
  return std::unique_ptr<OomWatch>(new OomWatch(files, clock, std::move(options), std::move(counter),
                                                std::move(kmsg), std::move(probe), std::move(wake)));
}

OomWatch::OomWatch(const FileReader& files, const Clock& clock, Options options, Counter counter,
                   absl::StatusOr<KmsgReader> kmsg, KernelProbe probe, UniqueFd wake)
    : clock_(clock),
      options_(std::move(options)),
      kmsg_reason_(MessageOf(kmsg.status())),
      probe_(std::move(probe)),
      vmstat_(std::move(counter.file)),
      meminfo_(OpenIfReadable(files, "/proc/meminfo", kMeminfoCapacity)),
      wake_(std::move(wake)),
      plan_({.bpf = probe_.Reasons().oom_kill.empty(), .kmsg = kmsg.ok()}) {
  if (kmsg.ok()) kmsg_ = *std::move(kmsg);
  if (counter.first.oom_kills) plan_.OnCounter(*counter.first.oom_kills, clock_.Now());
  FillSources(counter.first);
}

OomWatch::~OomWatch() { Stop(); }

void OomWatch::FillSources(const kernel::Vmstat& counters) {
  const ProbeReasons& bpf = probe_.Reasons();
  SignalSource kill{"oom_kill", OomSource::kBpf, ""};
  if (!bpf.oom_kill.empty()) {
    kill = {"oom_kill", OomSource::kKmsg, StrCat("BPF: ", bpf.oom_kill)};
    if (!kmsg_) {
      kill.source = counters.oom_kills ? OomSource::kCounters : OomSource::kNone;
      kill.reason +=
          StrCat("; log: ", kmsg_reason_, counters.oom_kills ? "" : "; /proc/vmstat does not count them");
    }
  }
  SignalSource begin{"oom_begin", OomSource::kBpf, ""};
  if (!bpf.oom_begin.empty()) begin = {"oom_begin", OomSource::kNone, StrCat("BPF: ", bpf.oom_begin)};
  SignalSource reclaim{"direct_reclaim", OomSource::kBpf, ""};
  if (!bpf.direct_reclaim.empty()) {
    reclaim = {"direct_reclaim", counters.alloc_stalls ? OomSource::kCounters : OomSource::kNone,
               StrCat("BPF: ", bpf.direct_reclaim)};
  }
  sources_ = {std::move(kill), std::move(begin), std::move(reclaim)};
}

void OomWatch::Start(OomListener& listener) {
  listener_ = &listener;
  thread_ = std::thread([this] { Run(); });
}

void OomWatch::Stop() {
  stopping_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_.Get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

void OomWatch::Run() {
  if (options_.on_thread_start) options_.on_thread_start();
  while (!stopping_.load(std::memory_order_acquire)) {
    probe_.Drain(*this);
    ReadLog();
    const MonotonicTime now = clock_.Now();
    const auto due = plan_.NextDue();
    if (due && *due <= now) {
      if (condition_at_ && now - *condition_at_ <= kConditionAge) {
        Count(now);
      } else {
        Look(now);
      }
    } else if (now >= next_count_at_) {
      Look(now);
    }
    while (const auto verdict = plan_.Next(condition_, now)) listener_->OnVerdict(*verdict);
    Wait();
  }
}

void OomWatch::Wait() {
  std::array<pollfd, 3> polled{{{wake_.Get(), POLLIN, 0},
                                {probe_.Fd(), POLLIN, 0},
                                {kmsg_ && kmsg_->IsAlive() ? kmsg_->Fd() : -1, POLLIN, 0}}};
  MonotonicTime until = next_count_at_;
  if (const auto due = plan_.NextDue()) until = std::min(until, *due);
  const int64_t wait_ns = std::max<int64_t>((until - clock_.Now()).count, 0);
  const timespec timeout{wait_ns / kNanosPerSecond, wait_ns % kNanosPerSecond};
  (void)::ppoll(polled.data(), polled.size(), &timeout, nullptr);  // whatever woke it, all is looked through
}

void OomWatch::ReadLog() {
  for (int i = 0; kmsg_ && i < kRecordsAtOnce; ++i) {
    const auto text = kmsg_->Next();
    if (!text) return;
    const auto record = kernel::ParseKmsgRecord(*text);
    if (!record.ok()) continue;
    const auto line = kernel::ParseOomLine(*record);
    if (!line) continue;
    const MonotonicTime now = clock_.Now();
    if (std::holds_alternative<kernel::OomInvoked>(*line)) LookIfOlder(kFreshCondition, now);
    plan_.OnLogLine(*line, now);
  }
}

std::optional<kernel::Vmstat> OomWatch::Count(MonotonicTime now) {
  const bool alone = !(kmsg_ && kmsg_->IsAlive()) && !probe_.Reasons().oom_kill.empty();
  next_count_at_ = now + (alone ? kCountGapAlone : kCountGap);
  const auto counters = ReadCounters(vmstat_);
  if (counters && counters->oom_kills) plan_.OnCounter(*counters->oom_kills, now);
  return counters;
}

void OomWatch::Look(MonotonicTime now) {
  const auto counters = Count(now);
  condition_at_ = now;
  condition_ = {};
  if (counters && counters->balloon_inflate_pages && counters->balloon_deflate_pages) {
    condition_.balloon_bytes =
        std::max<int64_t>(*counters->balloon_inflate_pages - *counters->balloon_deflate_pages, 0) *
        options_.page_size_bytes;
  }
  if (!meminfo_) return;
  const auto text = meminfo_->Read();
  if (!text.ok()) return;
  const auto meminfo = kernel::ParseMeminfo(*text);
  if (!meminfo.ok()) return;
  condition_.total_bytes = meminfo->total_bytes;
  condition_.available_bytes = meminfo->available_bytes;
}

void OomWatch::LookIfOlder(Nanos age, MonotonicTime now) {
  if (!condition_at_ || now - *condition_at_ > age) Look(now);
}

void OomWatch::OnOomBegins(const ballast_oom_begins& event) {
  listener_->OnOomBegins(ToFacts(event));
  LookIfOlder(kFreshCondition, clock_.Now());
}

void OomWatch::OnOomKill(const ballast_oom_kill& event) {
  plan_.OnKernelKill(ToFacts(event, options_.page_size_bytes));
}

void OomWatch::OnStall(const ballast_stall& event) { listener_->OnReclaimStall(ToFacts(event)); }

}  // namespace ballast::agent
