// What gRPC's library does later or in the background, in one thread that sleeps until then. gRPC's own
// engine keeps several threads for it, of which one wakes every second whether anything is due or not.
#pragma once

#include <grpc/event_engine/event_engine.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace ballast::agent {

// Timers and tasks alone: connections and names are gRPC's older parts' business, which do not ask for them
// here. Thread-safe.
class TimerEngine final : public grpc_event_engine::experimental::EventEngine {
 public:
  TimerEngine() = default;
  // What is not yet due is dropped. Not in one of its own tasks.
  ~TimerEngine() override;

  using EventEngine::ConnectionHandle;
  using EventEngine::TaskHandle;

  [[nodiscard]] bool IsWorkerThread() override;
  void Run(Closure* closure) override;
  void Run(absl::AnyInvocable<void()> closure) override;
  TaskHandle RunAfter(Duration when, Closure* closure) override;
  TaskHandle RunAfter(Duration when, absl::AnyInvocable<void()> closure) override;
  bool Cancel(TaskHandle handle) override;

  // Unimplemented, each in its way.
  absl::StatusOr<std::unique_ptr<Listener>> CreateListener(
      Listener::AcceptCallback on_accept, absl::AnyInvocable<void(absl::Status)> on_shutdown,
      const grpc_event_engine::experimental::EndpointConfig& config,
      std::unique_ptr<grpc_event_engine::experimental::MemoryAllocatorFactory> allocators) override;
  ConnectionHandle Connect(OnConnectCallback on_connect, const ResolvedAddress& address,
                           const grpc_event_engine::experimental::EndpointConfig& config,
                           grpc_event_engine::experimental::MemoryAllocator allocator,
                           Duration timeout) override;
  bool CancelConnect(ConnectionHandle handle) override;
  std::unique_ptr<DNSResolver> GetDNSResolver(const DNSResolver::ResolverOptions& options) override;

 private:
  using Time = std::chrono::steady_clock::time_point;
  using Key = std::pair<Time, intptr_t>;  // when, and a number of its own

  TaskHandle Add(Duration when, absl::AnyInvocable<void()> task);
  void Work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, absl::AnyInvocable<void()>> tasks_;
  intptr_t last_number_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // from the first task on
};

}  // namespace ballast::agent
