#include "host-bridge/session/call_queue.h"

#include <grpc/support/log.h>

namespace ballast::session {

CallQueue::CallQueue() {
  // gRPC logs what a peer sent as it came, line ends included. All that matters of it comes as a status.
  gpr_set_log_function([](gpr_log_func_args*) {});
  thread_ = std::thread([this] { Run(); });
}

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
