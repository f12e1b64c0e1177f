#include "guest-agent/bpf/kernel_watch.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "common/base/text.h"
#include "common/base/units.h"

namespace ballast::agent {
namespace {

// How late a look may be before the timer counts as stopped.
constexpr Nanos kMostLate = Seconds(1);
// The next look may be this part of the period later than one period from now: the period changes a little
// from sample to sample.
constexpr int64_t kLatePart = 8;

template <typename T>
T Read(const T& from) {
  return __atomic_load_n(&from, __ATOMIC_ACQUIRE);
}

template <typename T>
void Write(T& to, T value) {
  __atomic_store_n(&to, value, __ATOMIC_RELEASE);
}

}  // namespace

KernelWatch::KernelWatch(UniqueFd clock, UniqueFd events, Shared shared)
    : clock_(std::move(clock)),
      events_(std::move(events)),
      shared_(shared),
      page_bytes_(static_cast<size_t>(::sysconf(_SC_PAGESIZE))) {}

KernelWatch::KernelWatch(KernelWatch&& other) noexcept
    : clock_(std::move(other.clock_)),
      events_(std::move(other.events_)),
      shared_(other.shared_),
      page_bytes_(other.page_bytes_),
      taken_(std::exchange(other.taken_, nullptr)),
      given_(std::exchange(other.given_, nullptr)) {}

KernelWatch::~KernelWatch() {
  if (taken_ != nullptr) ::munmap(taken_, page_bytes_);
  if (given_ != nullptr) ::munmap(const_cast<unsigned long*>(given_), page_bytes_);
}

absl::StatusOr<KernelWatch> KernelWatch::Open(UniqueFd clock, UniqueFd events, Shared shared) {
  KernelWatch watch(std::move(clock), std::move(events), shared);
  if (auto status = watch.MapEvents(); !status.ok()) return status;
  return watch;
}

// A ring begins with a page that says how far it was read, and one that says how far it was written. What is
// written says no more than that there was something, so nothing of the rest is mapped.
absl::Status KernelWatch::MapEvents() {
  void* const taken = ::mmap(nullptr, page_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, events_.Get(), 0);
  if (taken == MAP_FAILED) return ErrnoStatus(errno, "mmap");
  taken_ = static_cast<unsigned long*>(taken);
  void* const given =
      ::mmap(nullptr, page_bytes_, PROT_READ, MAP_SHARED, events_.Get(), static_cast<off_t>(page_bytes_));
  if (given == MAP_FAILED) return ErrnoStatus(errno, "mmap");
  given_ = static_cast<const unsigned long*>(given);
  return absl::OkStatus();
}

void KernelWatch::Disarm() {
  Write(shared_.watch->armed, __u64{0});
  Write(*taken_, Read(*given_));
}

bool KernelWatch::Watch(const WatchOrder& order, MonotonicTime now) {
  Disarm();
  ballast_watch& watch = *shared_.watch;
  const auto page = static_cast<int64_t>(page_bytes_);
  const int64_t left = order.left_bytes / page;
  Write(watch.lowest_pages, __s64{left - order.fall_bytes / page});
  Write(watch.highest_pages, __s64{left + order.rise_bytes / page});
  Write(watch.most_stalled_us, Read(shared_.stalls->total_us) + static_cast<__u64>(order.stall_us));
  Write(watch.period_ns, static_cast<__u64>(order.look_every.count));
  Write(watch.calm_at_ns, __u64{0});
  Write(watch.armed, __u64{1});
  const MonotonicTime next{static_cast<int64_t>(Read(watch.next_at_ns))};
  const Nanos soon{order.look_every.count + order.look_every.count / kLatePart};
  if (next <= now + soon && now <= next + kMostLate) return true;
  Disarm();
  return false;
}

void KernelWatch::Relax(Nanos look_every) {
  Disarm();
  Write(shared_.watch->period_ns, static_cast<__u64>(look_every.count));
}

std::optional<MemoryWatch::CalmLook> KernelWatch::LastCalmLook() const {
  const ballast_watch& watch = *shared_.watch;
  const __u64 at = Read(watch.calm_at_ns);
  const __s64 pages = Read(watch.calm_pages);
  // The program may have looked again meanwhile; it writes the pages first.
  if (at == 0 || Read(watch.calm_at_ns) != at) return std::nullopt;
  return CalmLook{{static_cast<int64_t>(at)}, pages * static_cast<int64_t>(page_bytes_)};
}

}  // namespace ballast::agent
