#include "host-bridge/observe/host_reader.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/kernel/meminfo_parser.h"

namespace ballast::observe {
namespace {

// /proc/meminfo has about 1.6 kB; every release adds a line or two.
constexpr size_t kMeminfoCapacity = 16 * 1024;
constexpr size_t kPsiCapacity = 1024;

// One stall of a few ms would fill a shorter window.
constexpr Nanos kShortestStallWindow = Milliseconds(100);

// The share of `elapsed` that `now_us - then_us` is; 0 for a total that went backwards.
int32_t ShareOf(int64_t then_us, int64_t now_us, Nanos elapsed) {
  const int64_t window_us = elapsed.count / 1'000;
  const int64_t stalled_us = std::clamp<int64_t>(now_us - then_us, 0, window_us);
  // In steps of 100 us no window of a bridge's life overflows.
  return static_cast<int32_t>(stalled_us / 100 * 10'000 / std::max<int64_t>(window_us / 100, 1));
}

}  // namespace

absl::StatusOr<HostReader> HostReader::Create(const FileReader& files, const Clock& clock) {
  auto meminfo = PinnedFile::Open(files, "/proc/meminfo", kMeminfoCapacity);
  if (!meminfo.ok()) return meminfo.status();
  HostReader reader(*std::move(meminfo), clock);

  auto psi = PinnedFile::Open(files, "/proc/pressure/memory", kPsiCapacity);
  reader.psi_status_ = psi.status();
  if (psi.ok()) {
    reader.psi_ = *std::move(psi);
    // With psi=0 the file exists and reading it fails.
    reader.psi_status_ = reader.ReadPsi().status();
  }
  return reader;
}

absl::StatusOr<Sampled<policy::HostReading>> HostReader::Read() {
  const auto text = meminfo_.Read();
  if (!text.ok()) return text.status();
  const auto meminfo = kernel::ParseMeminfo(*text);
  if (!meminfo.ok()) return WithContext("/proc/meminfo", meminfo.status());
  const MonotonicTime now = clock_->Now();
  UpdateShares(now);

  policy::HostReading reading;
  reading.total_bytes = meminfo->total_bytes;
  reading.available_bytes = meminfo->available_bytes;
  reading.some_permyriad = some_permyriad_;
  reading.full_permyriad = full_permyriad_;
  return Sampled<policy::HostReading>{reading, now};
}

absl::StatusOr<kernel::Psi> HostReader::ReadPsi() {
  const auto text = psi_->Read();
  if (!text.ok()) return text.status();
  auto psi = kernel::ParsePsi(*text);
  if (!psi.ok()) return WithContext("/proc/pressure/memory", psi.status());
  return psi;
}

void HostReader::UpdateShares(MonotonicTime now) {
  if (!psi_) return;
  const auto psi = ReadPsi();
  psi_status_ = psi.status();
  if (!psi.ok()) {
    last_psi_.reset();
    some_permyriad_ = full_permyriad_ = 0;
    return;
  }
  const kernel::PsiLine full = psi->full.value_or(kernel::PsiLine{});
  if (!last_psi_) {
    some_permyriad_ = psi->some.avg10_permyriad;
    full_permyriad_ = full.avg10_permyriad;
  } else {
    const Nanos elapsed = AgeOf(*last_psi_, now);
    if (elapsed < kShortestStallWindow) return;
    const kernel::Psi& last = last_psi_->value;
    some_permyriad_ = ShareOf(last.some.total_us, psi->some.total_us, elapsed);
    full_permyriad_ = ShareOf(last.full.value_or(kernel::PsiLine{}).total_us, full.total_us, elapsed);
  }
  last_psi_ = {*psi, now};
}

}  // namespace ballast::observe
