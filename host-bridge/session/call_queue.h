// gRPC's completions for all guests, on one thread of our own. (The callback API of this gRPC would bring its
// own threads, but on Linux those sleep for 100 ms after each second without an event, and a guest's cry for
// help would wait that long.)
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <functional>
#include <mutex>
#include <thread>

namespace ballast::session {

class CallQueue {
 public:
  CallQueue();
  // All calls that use the queue must have completed.
  ~CallQueue();
  CallQueue(const CallQueue&) = delete;
  CallQueue& operator=(const CallQueue&) = delete;

  [[nodiscard]] grpc::CompletionQueue* Get() { return &queue_; }

  // What a call passes as its tag: run on the queue's thread when the operation has completed.
  struct Tag {
    std::function<void(bool ok)> done;
  };

  // Runs `tag` on the queue's thread, soon: so that all calls of a conversation start where they complete.
  // What the caller wrote before is visible there. `alarm` must live until then.
  void Begin(grpc::Alarm& alarm, Tag& tag);

 private:
  void Run();

  std::mutex handover_;
  grpc::CompletionQueue queue_;
  std::thread thread_;
};

}  // namespace ballast::session
