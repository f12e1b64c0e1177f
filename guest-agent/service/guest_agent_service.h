// The GuestAgent service of proto/ballast/guest/v1. Holds no policy and reads no file. Acts and requests for
// memory keep the thread of their call until they are over; how many there may be is bounded.
//
// It uses gRPC's synchronous interface: each watcher has a thread that sleeps until there is something to
// write. The threads of the callback interface nap for 100 ms after a second without work (gRPC 1.51 on
// Linux), and a rise of the level would wait for them.
#pragma once

#include "ballast/guest/v1/guest_agent.grpc.pb.h"
#include "common/os/clock.h"
#include "guest-agent/act/acts.h"
#include "guest-agent/ask/request_board.h"
#include "guest-agent/blocks/block_acts.h"
#include "guest-agent/service/sample_loop.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

class GuestAgentService final : public guest::v1::GuestAgent::Service {
 public:
  // All must outlive the service and every call on it. `blocks` is null where the kernel has no memory
  // blocks.
  GuestAgentService(const AgentIdentity& identity, SampleLoop& loop, Acts& acts, BlockActs* blocks,
                    const Clock& clock)
      : identity_(identity),
        loop_(loop),
        acts_(acts),
        blocks_(blocks),
        clock_(clock),
        board_([this](const MemoryRequested& request) {
          return loop_.Broadcast({clock_.Now(), request});
        }) {}

  grpc::Status GetInfo(grpc::ServerContext* context, const guest::v1::GetInfoRequest* request,
                       guest::v1::GetInfoResponse* response) override;
  grpc::Status Watch(grpc::ServerContext* context, const guest::v1::WatchRequest* request,
                     grpc::ServerWriter<guest::v1::WatchResponse>* writer) override;
  grpc::Status Reclaim(grpc::ServerContext* context, const guest::v1::ReclaimRequest* request,
                       guest::v1::ReclaimResponse* response) override;
  grpc::Status Compact(grpc::ServerContext* context, const guest::v1::CompactRequest* request,
                       guest::v1::CompactResponse* response) override;
  grpc::Status ConfigureZram(grpc::ServerContext* context, const guest::v1::ConfigureZramRequest* request,
                             guest::v1::ConfigureZramResponse* response) override;
  grpc::Status SetSwappiness(grpc::ServerContext* context, const guest::v1::SetSwappinessRequest* request,
                             guest::v1::SetSwappinessResponse* response) override;
  grpc::Status ListMemoryBlocks(grpc::ServerContext* context,
                                const guest::v1::ListMemoryBlocksRequest* request,
                                guest::v1::ListMemoryBlocksResponse* response) override;
  grpc::Status OnlineMemory(grpc::ServerContext* context, const guest::v1::OnlineMemoryRequest* request,
                            guest::v1::OnlineMemoryResponse* response) override;
  grpc::Status OfflineMemory(grpc::ServerContext* context, const guest::v1::OfflineMemoryRequest* request,
                             guest::v1::OfflineMemoryResponse* response) override;
  grpc::Status RequestMemory(grpc::ServerContext* context, const guest::v1::RequestMemoryRequest* request,
                             guest::v1::RequestMemoryResponse* response) override;
  grpc::Status AnswerMemoryRequest(grpc::ServerContext* context,
                                   const guest::v1::AnswerMemoryRequestRequest* request,
                                   guest::v1::AnswerMemoryRequestResponse* response) override;

 private:
  const AgentIdentity& identity_;
  SampleLoop& loop_;
  Acts& acts_;
  BlockActs* const blocks_;
  const Clock& clock_;
  RequestBoard board_;
};

}  // namespace ballast::agent
