#include "host-bridge/session/call_queue.h"

namespace ballast::session {

CallQueue::CallQueue() : thread_([this] { Run(); }) {}

CallQueue::~CallQueue() {
  queue_.Shutdown();
  thread_.join();
}

void CallQueue::Begin(grpc::Alarm& alarm, Tag& tag) {
  const std::lock_guard lock(handover_);
  alarm.Set(&queue_, gpr_now(GPR_CLOCK_MONOTONIC), &tag);
}

void CallQueue::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
    // The other half of Begin's hand-over. Its order holds by gRPC's own means too, but not visibly.
    { const std::lock_guard lock(handover_); }
    static_cast<Tag*>(tag)->done(ok);
  }
}

}  // namespace ballast::session
