#include "guest-agent/service/grpc_timers.h"

// Of gRPC's library (1.51: src/core/lib/iomgr/timer_manager.h), not of its interface; without address where
// it has none of them.
[[gnu::weak]] void grpc_timer_manager_set_threading(bool threading);
[[gnu::weak]] void grpc_timer_manager_tick();

namespace ballast::agent {
namespace {

bool CanBeTakenOver() {
  return grpc_timer_manager_set_threading != nullptr && grpc_timer_manager_tick != nullptr;
}

}  // namespace

GrpcTimers::GrpcTimers() {
  if (CanBeTakenOver()) grpc_timer_manager_set_threading(false);
}

GrpcTimers::~GrpcTimers() {
  if (CanBeTakenOver()) grpc_timer_manager_set_threading(true);
}

void GrpcTimers::RunDue() {
  if (CanBeTakenOver()) grpc_timer_manager_tick();
}

}  // namespace ballast::agent
