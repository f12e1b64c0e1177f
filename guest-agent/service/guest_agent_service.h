// The GuestAgent service of proto/ballast/guest/v1. Holds no policy and reads no file.
//
// It uses gRPC's synchronous interface: each watcher has a thread that sleeps until there is something to
// write. The threads of the callback interface nap for 100 ms after a second without work (gRPC 1.51 on
// Linux), and a rise of the level would wait for them.
#pragma once

#include "ballast/guest/v1/guest_agent.grpc.pb.h"
#include "common/os/clock.h"
#include "guest-agent/service/sample_loop.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

class GuestAgentService final : public guest::v1::GuestAgent::Service {
 public:
  // All three must outlive the service and every call on it.
  GuestAgentService(const AgentIdentity& identity, SampleLoop& loop, const Clock& clock)
      : identity_(identity), loop_(loop), clock_(clock) {}

  grpc::Status GetInfo(grpc::ServerContext* context, const guest::v1::GetInfoRequest* request,
                       guest::v1::GetInfoResponse* response) override;
  grpc::Status Watch(grpc::ServerContext* context, const guest::v1::WatchRequest* request,
                     grpc::ServerWriter<guest::v1::WatchResponse>* writer) override;

 private:
  const AgentIdentity& identity_;
  SampleLoop& loop_;
  const Clock& clock_;
};

}  // namespace ballast::agent
