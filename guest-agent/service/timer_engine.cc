#include "guest-agent/service/timer_engine.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/status/status.h"

namespace ballast::agent {

using grpc_event_engine::experimental::EndpointConfig;
using grpc_event_engine::experimental::EventEngine;
using grpc_event_engine::experimental::MemoryAllocator;
using grpc_event_engine::experimental::MemoryAllocatorFactory;

namespace {

// A later one would not be a time any more.
constexpr EventEngine::Duration kLongest = std::chrono::hours(24 * 365);
constexpr EventEngine::ConnectionHandle kNoConnection{{-1, -1}};

absl::Status NotHere() { return absl::UnimplementedError("this engine has timers alone"); }

}  // namespace

TimerEngine::~TimerEngine() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool TimerEngine::IsWorkerThread() {
  const std::lock_guard lock(mutex_);
  return thread_.get_id() == std::this_thread::get_id();
}

void TimerEngine::Run(Closure* closure) { (void)RunAfter(Duration(0), closure); }

void TimerEngine::Run(absl::AnyInvocable<void()> closure) { (void)Add(Duration(0), std::move(closure)); }

EventEngine::TaskHandle TimerEngine::RunAfter(Duration when, Closure* closure) {
  return Add(when, [closure] { closure->Run(); });
}

EventEngine::TaskHandle TimerEngine::RunAfter(Duration when, absl::AnyInvocable<void()> closure) {
  return Add(when, std::move(closure));
}

EventEngine::TaskHandle TimerEngine::Add(Duration when, absl::AnyInvocable<void()> task) {
  const std::lock_guard lock(mutex_);
  const Key key{std::chrono::steady_clock::now() + std::clamp(when, Duration(0), kLongest), ++last_number_};
  const auto place = tasks_.emplace(key, std::move(task)).first;
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { Work(); });
  } else if (place == tasks_.begin()) {
    changed_.notify_one();
  }
  return {{static_cast<intptr_t>(key.first.time_since_epoch().count()), key.second}};
}

bool TimerEngine::Cancel(TaskHandle handle) {
  absl::AnyInvocable<void()> task;  // its end may call back
  const std::lock_guard lock(mutex_);
  const auto found = tasks_.find({Time(Time::duration(handle.keys[0])), handle.keys[1]});
  if (found == tasks_.end()) return false;
  task = std::move(found->second);
  tasks_.erase(found);
  return true;
}

void TimerEngine::Work() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (tasks_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = tasks_.begin();
    if (const Time due = first->first.first; due > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, due);
      continue;
    }
    absl::AnyInvocable<void()> task = std::move(first->second);
    tasks_.erase(first);
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

absl::StatusOr<std::unique_ptr<EventEngine::Listener>> TimerEngine::CreateListener(
    Listener::AcceptCallback /*on_accept*/, absl::AnyInvocable<void(absl::Status)> /*on_shutdown*/,
    const EndpointConfig& /*config*/, std::unique_ptr<MemoryAllocatorFactory> /*allocators*/) {
  return NotHere();
}

EventEngine::ConnectionHandle TimerEngine::Connect(OnConnectCallback on_connect,
                                                   const ResolvedAddress& /*address*/,
                                                   const EndpointConfig& /*config*/,
                                                   MemoryAllocator /*allocator*/, Duration /*timeout*/) {
  Run([on_connect = std::move(on_connect)]() mutable { on_connect(NotHere()); });
  return kNoConnection;
}

bool TimerEngine::CancelConnect(ConnectionHandle /*handle*/) { return false; }

std::unique_ptr<EventEngine::DNSResolver> TimerEngine::GetDNSResolver(
    const DNSResolver::ResolverOptions& /*options*/) {
  return nullptr;
}

}  // namespace ballast::agent
