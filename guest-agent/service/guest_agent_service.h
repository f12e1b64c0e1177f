// The GuestAgent service of proto/ballast/guest/v1. Holds no policy and reads no file.
#pragma once

#include "ballast/guest/v1/guest_agent.grpc.pb.h"
#include "common/os/clock.h"
#include "guest-agent/service/sample_loop.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

class GuestAgentService final : public guest::v1::GuestAgent::CallbackService {
 public:
  // All three must outlive the service and every call on it.
  GuestAgentService(const AgentIdentity& identity, SampleLoop& loop, const Clock& clock)
      : identity_(identity), loop_(loop), clock_(clock) {}

  grpc::ServerUnaryReactor* GetInfo(grpc::CallbackServerContext* context,
                                    const guest::v1::GetInfoRequest* request,
                                    guest::v1::GetInfoResponse* response) override;
  grpc::ServerWriteReactor<guest::v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                            const guest::v1::WatchRequest* request) override;

 private:
  const AgentIdentity& identity_;
  SampleLoop& loop_;
  const Clock& clock_;
};

}  // namespace ballast::agent
