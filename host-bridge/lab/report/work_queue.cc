#include "host-bridge/lab/report/work_queue.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace ballast::sim {

void ForEach(size_t jobs, unsigned threads, const std::function<void(size_t)>& work) {
  const size_t cores = threads != 0 ? threads : std::max(1U, std::thread::hardware_concurrency());
  std::atomic<size_t> next = 0;
  const auto take = [&] {
    for (size_t job = next++; job < jobs; job = next++) work(job);
  };
  std::vector<std::jthread> helpers;
  for (size_t i = 1; i < std::min(cores, jobs); ++i) helpers.emplace_back(take);
  take();
}

}  // namespace ballast::sim
