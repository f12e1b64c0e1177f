// The short calls beside a conversation's standing one: each starts and completes on the queue's thread,
// whoever asked for it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include "common/base/time.h"
#include "host-bridge/session/call_queue.h"

namespace ballast::session {

class UnaryCalls {
 public:
  template <typename Response>
  using Reader = grpc::ClientAsyncResponseReader<Response>;

  // At most `most` at a time. `on_quiet` follows the completion of each, on the queue's thread, and may
  // destroy this object.
  UnaryCalls(CallQueue& queue, size_t most, std::function<void()> on_quiet)
      : queue_(queue), most_(most), on_quiet_(std::move(on_quiet)) {}
  UnaryCalls(const UnaryCalls&) = delete;
  UnaryCalls& operator=(const UnaryCalls&) = delete;

  // `start` makes the stub's call, `done` gets what came of it; both on the queue's thread, `done` exactly
  // once. From any thread. False, and neither is called, when too many are under way or the conversation is
  // over. `name`: the caller's, for Cancel.
  template <typename Response>
  [[nodiscard]] bool Begin(
      Nanos deadline,
      std::function<std::unique_ptr<Reader<Response>>(grpc::ClientContext*, grpc::CompletionQueue*)> start,
      std::function<void(const grpc::Status&, const Response&)> done, uint64_t name = 0) {
    const std::lock_guard lock(mutex_);
    calls_.remove_if([](const std::unique_ptr<Call>& call) { return call->finished; });
    if (closed_ || calls_.size() >= most_) return false;
    auto owned = std::make_unique<TypedCall<Response>>();
    TypedCall<Response>* call = owned.get();
    call->name = name;
    calls_.push_back(std::move(owned));
    call->begin.done = [this, call, deadline, start = std::move(start)](bool) {
      call->context.set_deadline(std::chrono::system_clock::now() + std::chrono::nanoseconds(deadline.count));
      call->reader = start(&call->context, queue_.Get());
      call->reader->Finish(&call->response, &call->status, &call->completed);
    };
    call->completed.done = [this, call, done = std::move(done)](bool) {
      done(call->status, call->response);
      Finish(*call);
    };
    queue_.Begin(call->alarm, call->begin);
    return true;
  }

  // Those under way end with CANCELLED, and no other begins. From any thread.
  void Cancel();
  // Those of this name alone.
  void Cancel(uint64_t name);
  // No other begins from now on. True when none is under way any more.
  [[nodiscard]] bool Close();

 private:
  struct Call {
    virtual ~Call() = default;
    uint64_t name = 0;
    grpc::Alarm alarm;
    CallQueue::Tag begin;
    grpc::ClientContext context;
    grpc::Status status;
    CallQueue::Tag completed;
    bool finished = false;  // cleared away by the next one, or with all of them
  };
  template <typename Response>
  struct TypedCall final : Call {
    Response response;
    std::unique_ptr<Reader<Response>> reader;
  };

  void Finish(Call& call);

  CallQueue& queue_;
  const size_t most_;
  const std::function<void()> on_quiet_;
  std::mutex mutex_;
  std::list<std::unique_ptr<Call>> calls_;
  bool closed_ = false;
};

}  // namespace ballast::session
