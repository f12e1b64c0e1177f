#include "host-bridge/session/call_queue.h"

namespace ballast::session {

CallQueue::CallQueue() : thread_([this] { Run(); }) {}

CallQueue::~CallQueue() {
  queue_.Shutdown();
  thread_.join();
}

void CallQueue::Run() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) static_cast<Tag*>(tag)->done(ok);
}

}  // namespace ballast::session
