#include "tests/fakes/guest_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_format.h"
#include "common/base/units.h"
#include "common/os/unique_fd.h"

namespace ballast::fakes {

GuestTree::GuestTree(std::string root, int64_t total_bytes, int64_t available_bytes)
    : root_(std::move(root)), total_bytes_(total_bytes), available_bytes_(available_bytes) {
  std::filesystem::create_directories(root_ + "/proc/pressure");
  std::filesystem::create_directories(root_ + "/proc/sys/kernel/random");
  Write("/proc/sys/kernel/random/boot_id", "00000000-0000-4000-8000-000000000001\n");
  Write("/proc/sys/kernel/osrelease", "6.1.0-fake\n");
  WriteMeminfo();
  WriteVmstat();
  SetStall(0, 0);
}

GuestTree::~GuestTree() { std::filesystem::remove_all(root_); }

void GuestTree::SetAvailable(int64_t bytes) {
  available_bytes_ = bytes;
  WriteMeminfo();
}

void GuestTree::SetTotal(int64_t bytes) {
  total_bytes_ = bytes;
  WriteMeminfo();
}

void GuestTree::SetStall(int64_t some_total_us, int64_t full_total_us) {
  const std::string text =
      absl::StrFormat("some avg10=0.00 avg60=0.00 avg300=0.00 total=%019d\n", some_total_us) +
      absl::StrFormat("full avg10=0.00 avg60=0.00 avg300=0.00 total=%019d\n", full_total_us);
  Write("/proc/pressure/memory", text);
  Write("/proc/pressure/io", text);
}

void GuestTree::SetOomKills(int64_t count) {
  oom_kills_ = count;
  WriteVmstat();
}

// Numbers have a fixed width, so that a rewrite never changes a file's length under its reader.
void GuestTree::WriteMeminfo() const {
  Write("/proc/meminfo",
        absl::StrFormat("MemTotal:       %12d kB\nMemFree:        %12d kB\nMemAvailable:   %12d kB\n"
                        "Buffers:                   0 kB\nCached:                    0 kB\n"
                        "Active(file):              0 kB\nInactive(file):            0 kB\n"
                        "AnonPages:                 0 kB\nShmem:                     0 kB\n"
                        "Dirty:                     0 kB\nSReclaimable:              0 kB\n"
                        "SUnreclaim:                0 kB\nSwapTotal:                 0 kB\n"
                        "SwapFree:                  0 kB\nCommitLimit:               0 kB\n"
                        "Committed_AS:              0 kB\n",
                        total_bytes_ / kKiB, available_bytes_ / kKiB, available_bytes_ / kKiB));
}

void GuestTree::WriteVmstat() const {
  Write("/proc/vmstat", absl::StrFormat("pswpin 0\npswpout 0\npgmajfault 0\nworkingset_refault_anon 0\n"
                                        "workingset_refault_file 0\noom_kill %012d\n"
                                        "balloon_inflate 0\nballoon_deflate 0\n",
                                        oom_kills_));
}

void GuestTree::Write(const std::string& path, const std::string& text) const {
  const std::string full = root_ + path;
  const UniqueFd fd(::open(full.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.IsOpen() || ::pwrite(fd.Get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    std::abort();  // a test without its files proves nothing
  }
}

}  // namespace ballast::fakes
