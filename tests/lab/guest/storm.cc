#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <vector>

#include "tests/lab/guest/lab_guest.h"

namespace ballast::lab::guest {
namespace {

constexpr int64_t kPage = 4096;

void SetOomScore(const char* score) {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t n = write(fd, score, std::strlen(score));
  close(fd);
}

uint64_t Next(uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

void Fill(char* page, uint64_t& state) {
  for (int64_t at = 0; at < kPage / 2; at += 8) {
    const uint64_t word = Next(state);
    std::memcpy(page + at, &word, sizeof word);
  }
}

[[noreturn]] void Work(int64_t bytes, uint64_t seed) {
  SetOomScore("0");
  uint64_t state = seed * 0x9e3779b97f4a7c15 | 1;
  char* const memory = static_cast<char*>(
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  if (memory == MAP_FAILED) _exit(1);
  const int64_t pages = bytes / kPage;
  for (int64_t page = 0; page < pages; ++page) Fill(memory + page * kPage, state);
  for (;;) Fill(memory + static_cast<int64_t>(Next(state) % static_cast<uint64_t>(pages)) * kPage, state);
}

pid_t StartWorker(int64_t bytes, uint64_t seed) {
  const pid_t pid = fork();
  if (pid == 0) Work(bytes, seed);
  return pid;
}

}  // namespace

int Storm(const Options& options) {
  const int64_t bytes = options.Number("mib", 100) << 20;
  const int64_t end_ms = NowMs() + options.Number("seconds", 60) * 1000;
  std::vector<pid_t> workers(static_cast<size_t>(options.Number("workers", 4)));
  SetOomScore("-1000");
  uint64_t seed = 0;
  for (pid_t& worker : workers) worker = StartWorker(bytes, ++seed);
  int64_t killed = 0;
  while (NowMs() < end_ms) {
    SleepUntilMs(NowMs() + 20);
    for (pid_t& worker : workers) {
      int status = 0;
      if (worker > 0 && waitpid(worker, &status, WNOHANG) != worker) continue;
      if (worker > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ++killed;
      worker = StartWorker(bytes, ++seed);
    }
  }
  for (const pid_t worker : workers) {
    if (worker > 0) kill(worker, SIGKILL);
  }
  while (wait(nullptr) > 0) {
  }
  std::printf("storm: over, %" PRId64 " workers killed\n", killed);
  return 0;
}

}  // namespace ballast::lab::guest
