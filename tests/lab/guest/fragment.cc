// lab-guest fragment --mib N --kernel-mib K --keep-one-of E: a workload that leaves memory in shreds. Slice
// by slice it takes anonymous memory and between it what the kernel cannot move: full pipes, directories,
// page tables. Then it lets go of every other piece of the kernel's, and of all but one in E of its own, and
// works on what is left until it is killed. Exit code 3: a word is not what was written.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "tests/lab/guest/lab_guest.h"

namespace ballast::lab::guest {
namespace {

constexpr int64_t kPage = 4096;
constexpr int64_t kSlice = 8 << 20;
constexpr int64_t kPiece = 64 << 10;      // of anonymous memory: what is kept or let go as a whole
constexpr int64_t kPipe = 64 << 10;       // of kernel memory: sixteen pages
constexpr int64_t kTableReach = 2 << 20;  // that one page of a page table maps
constexpr int64_t kTablesPerSlice = 32;
constexpr int64_t kDirectoriesPerSlice = 32;
constexpr char kRoot[] = "/tmp/fragment";

int Refused(const char* what) {
  std::printf("fragment: %s: %s\n", what, std::strerror(errno));
  return 1;
}

char* Map(int64_t bytes) {
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return nullptr;
  madvise(at, bytes, MADV_NOHUGEPAGE);
  return static_cast<char*>(at);
}

std::string DirectoryName(int64_t number) { return std::string(kRoot) + "/" + std::to_string(number); }

class Shreds {
 public:
  Shreds(int64_t slices, int64_t pipes_per_slice, int64_t keep_one_of)
      : slices_(slices), pipes_per_slice_(pipes_per_slice), keep_one_of_(keep_one_of) {}

  // False: the kernel refused, and errno says why.
  bool Take() {
    if (mkdir(kRoot, 0700) != 0) return false;
    char* const reaches = Map((slices_ * kTablesPerSlice + 1) * kTableReach);
    if (reaches == nullptr) return false;
    // From the first whole one on, so that what is unmapped later leaves its table.
    next_reach_ = reaches + (kTableReach - reinterpret_cast<uintptr_t>(reaches) % kTableReach);
    for (int64_t slice = 0; slice < slices_; ++slice) {
      char* const memory = Map(kSlice);
      if (memory == nullptr) return false;
      chunks_.push_back(memory);
      for (int64_t at = 0; at < kSlice; at += kPage) Word(slice, at) = Expected(slice, at);
      if (!TakeKernel()) return false;
    }
    return true;
  }
  void LetGo() {
    for (size_t i = 0; i < pipes_.size(); i += 2) {
      close(pipes_[i][0]);
      close(pipes_[i][1]);
    }
    for (int64_t i = 0; i < directories_; i += 2) rmdir(DirectoryName(i).c_str());
    for (size_t i = 0; i < tables_.size(); i += 2) munmap(tables_[i], kTableReach);
    for (char* chunk : chunks_) {
      for (int64_t at = 0; at < kSlice; at += kPiece) {
        if (!IsKept(at)) madvise(chunk + at, kPiece, MADV_DONTNEED);
      }
    }
  }
  // One round over all that was kept: reads and writes each page.
  bool Work() {
    for (int64_t slice = 0; slice < slices_; ++slice) {
      for (int64_t at = 0; at < kSlice; at += kPage) {
        if (!IsKept(at)) continue;
        if (Word(slice, at) != Expected(slice, at)) return false;
        Word(slice, at) = Expected(slice, at);
      }
    }
    return true;
  }
  void Say() const {
    std::printf("fragment: holds %" PRId64 " of %" PRId64 " MiB anonymous, %zu of %zu MiB in pipes, %" PRId64
                " directories, %zu page tables\n",
                slices_ * kSlice / keep_one_of_ >> 20, slices_ * kSlice >> 20,
                pipes_.size() / 2 * kPipe >> 20, pipes_.size() * kPipe >> 20, directories_ / 2,
                tables_.size() / 2);
  }

 private:
  [[nodiscard]] bool IsKept(int64_t at) const { return at / kPiece % keep_one_of_ == 0; }
  [[nodiscard]] static uint64_t Expected(int64_t slice, int64_t at) {
    return static_cast<uint64_t>(slice * kSlice + at) * 0x9e3779b97f4a7c15 | 1;
  }
  volatile uint64_t& Word(int64_t slice, int64_t at) {
    return *reinterpret_cast<uint64_t*>(chunks_[static_cast<size_t>(slice)] + at);
  }
  bool TakeKernel() {
    for (int64_t i = 0; i < pipes_per_slice_; ++i) {
      std::array<int, 2> ends{};
      if (pipe2(ends.data(), O_NONBLOCK) != 0) return false;
      pipes_.push_back(ends);
      for (int64_t at = 0; at < kPipe; at += kPage) {
        if (write(ends[1], chunks_.back(), kPage) != kPage) return false;
      }
    }
    for (int64_t i = 0; i < kDirectoriesPerSlice; ++i) {
      if (mkdir(DirectoryName(directories_++).c_str(), 0700) != 0) return false;
    }
    for (int64_t i = 0; i < kTablesPerSlice; ++i, next_reach_ += kTableReach) {
      tables_.push_back(next_reach_);
      *next_reach_ = 1;
    }
    return true;
  }

  const int64_t slices_;
  const int64_t pipes_per_slice_;
  const int64_t keep_one_of_;
  std::vector<char*> chunks_;
  std::vector<std::array<int, 2>> pipes_;
  std::vector<char*> tables_;
  char* next_reach_ = nullptr;
  int64_t directories_ = 0;
};

}  // namespace

int Fragment(const Options& options) {
  const int64_t slices = std::max<int64_t>(1, options.Number("mib", 64) * (1 << 20) / kSlice);
  const int64_t pipes = options.Number("kernel-mib", 8) * (1 << 20) / kPipe;
  const rlimit many{.rlim_cur = static_cast<rlim_t>(2 * pipes + 64),
                    .rlim_max = static_cast<rlim_t>(2 * pipes + 64)};
  if (setrlimit(RLIMIT_NOFILE, &many) != 0) return Refused("file descriptors");
  Shreds shreds(slices, pipes / slices, std::max<int64_t>(1, options.Number("keep-one-of", 2)));
  if (!shreds.Take()) return Refused("taking");
  shreds.LetGo();
  shreds.Say();
  while (shreds.Work()) SleepUntilMs(NowMs() + 200);
  std::printf("fragment: a word is not what was written\n");
  return 3;
}

}  // namespace ballast::lab::guest
