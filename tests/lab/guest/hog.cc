#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "tests/lab/guest/lab_guest.h"

namespace ballast::lab::guest {
namespace {

constexpr int64_t kPage = 4096;
constexpr int64_t kWordsPerPage = kPage / 8;

struct Plan {
  int64_t bytes = 0;
  int64_t chunk_bytes =
      0;  // mapped at a time: one large map is refused at once when the balloon shrank MemTotal
  int64_t bytes_per_second = 0;  // 0 = as fast as possible
  int64_t quick_bytes = 0;       // as fast as possible, before that pace begins
  int64_t hold_ms = 0;
  int64_t random_words = 0;  // words of each page filled with incompressible data, at least 1
  bool touch_again = false;  // rewrite every page while holding: a hot working set
};

uint64_t Mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// What word `word` of page `page` holds. Never zero, so that no page is merged with the zero page.
uint64_t Expected(int64_t page, int64_t word) { return Mix(page * kWordsPerPage + word) | 1; }

class Memory {
 public:
  explicit Memory(const Plan& plan) : plan_(plan) {}
  ~Memory() {
    for (uint64_t* chunk : chunks_) munmap(chunk, plan_.chunk_bytes);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  bool Fill() {
    int64_t start = NowMs();
    for (int64_t filled = 0; filled < plan_.bytes; filled += plan_.chunk_bytes) {
      const int64_t paced = filled - plan_.quick_bytes;
      if (paced <= 0) start = NowMs();
      if (plan_.bytes_per_second > 0)
        SleepUntilMs(start + std::max<int64_t>(paced, 0) * 1000 / plan_.bytes_per_second);
      void* chunk =
          mmap(nullptr, plan_.chunk_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (chunk == MAP_FAILED) {
        std::printf("hog: refused at %" PRId64 " MiB: %s\n", filled >> 20, std::strerror(errno));
        return false;
      }
      chunks_.push_back(static_cast<uint64_t*>(chunk));
      WriteChunk(chunks_.size() - 1);
    }
    return true;
  }

  void WriteAll() {
    for (size_t chunk = 0; chunk < chunks_.size(); ++chunk) WriteChunk(chunk);
  }

  // Words that do not hold what was written.
  int64_t CountWrong() const {
    int64_t wrong = 0;
    const int64_t pages = plan_.chunk_bytes / kPage;
    for (size_t chunk = 0; chunk < chunks_.size(); ++chunk) {
      for (int64_t page = 0; page < pages; ++page) {
        const uint64_t* words = chunks_[chunk] + page * kWordsPerPage;
        for (int64_t word = 0; word < plan_.random_words; ++word) {
          if (words[word] != Expected(chunk * pages + page, word)) ++wrong;
        }
      }
    }
    return wrong;
  }

 private:
  void WriteChunk(size_t chunk) {
    const int64_t pages = plan_.chunk_bytes / kPage;
    for (int64_t page = 0; page < pages; ++page) {
      uint64_t* words = chunks_[chunk] + page * kWordsPerPage;
      for (int64_t word = 0; word < plan_.random_words; ++word)
        words[word] = Expected(chunk * pages + page, word);
    }
  }

  const Plan& plan_;
  std::vector<uint64_t*> chunks_;
};

// By threads that fill a part each, while the first one has ended: its process lives on as theirs.
int RunThreads(const Plan& plan, int64_t count) {
  static Plan part;  // outlives this function, whose thread ends
  part = plan;
  part.bytes = plan.bytes / count / plan.chunk_bytes * plan.chunk_bytes;
  for (int64_t i = 0; i < count; ++i) {
    std::thread([] {
      Memory memory(part);
      memory.Fill();
      SleepUntilMs(NowMs() + part.hold_ms);
    }).detach();
  }
  pthread_exit(nullptr);
}

int RunCycle(const Plan& plan) {
  const int64_t start = NowMs();
  Memory memory(plan);
  if (!memory.Fill()) return 2;
  const int64_t filled = NowMs();
  std::printf("hog: filled %" PRId64 " MiB in %" PRId64 " ms\n", plan.bytes >> 20, filled - start);
  while (plan.touch_again && NowMs() < filled + plan.hold_ms) memory.WriteAll();
  SleepUntilMs(filled + plan.hold_ms);
  const int64_t wrong = memory.CountWrong();
  if (wrong != 0) {
    std::printf("hog: %" PRId64 " words are not what was written\n", wrong);
    return 3;
  }
  std::printf("hog: done %" PRId64 " MiB in %" PRId64 " ms\n", plan.bytes >> 20, NowMs() - start);
  return 0;
}

}  // namespace

int Hog(const Options& options) {
  Plan plan;
  plan.chunk_bytes = options.Number("chunk-kib", 1024) * 1024 / kPage * kPage;
  if (plan.chunk_bytes <= 0) return 64;
  plan.bytes = options.Number("mib", 64) << 20;
  plan.bytes_per_second = options.Number("rate-mib-s", 0) << 20;
  plan.quick_bytes = options.Number("quick-mib", 0) << 20;
  plan.hold_ms = options.Number("hold-ms", 0);
  plan.touch_again = options.Number("touch-again", 0) != 0;
  const int64_t percent = options.Number("random-percent", 0);
  plan.random_words = percent <= 0 ? 1 : percent >= 100 ? kWordsPerPage : percent * kWordsPerPage / 100 + 1;
  if (const int64_t threads = options.Number("threads", 0); threads > 0) return RunThreads(plan, threads);
  for (int64_t cycle = options.Number("cycles", 1); cycle > 0; --cycle) {
    const int status = RunCycle(plan);
    if (status != 0) return status;
  }
  return 0;
}

}  // namespace ballast::lab::guest
