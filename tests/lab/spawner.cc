#include "tests/lab/spawner.h"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace ballast::lab {
namespace {

class ForkingThread {
 public:
  ForkingThread() {
    // It takes no signals: a test's handlers belong to the test's own threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread([this] { Run(); }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void Submit(const std::function<void()>& work) {
    const std::lock_guard<std::mutex> one_at_a_time(submit_mutex_);
    std::unique_lock<std::mutex> lock(mutex_);
    work_ = &work;
    changed_.notify_all();
    changed_.wait(lock, [this] { return work_ == nullptr; });
  }

 private:
  void Run() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return work_ != nullptr; });
      (*work_)();
      work_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex submit_mutex_;
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;
};

}  // namespace

void RunOnForkingThread(const std::function<void()>& work) {
  // Never destroyed: its thread ends with the process, and not before.
  static auto* const thread = new ForkingThread;
  thread->Submit(work);
}

}  // namespace ballast::lab
