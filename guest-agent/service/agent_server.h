// The gRPC server. It listens nowhere: connections come as descriptors from the Listener.
#pragma once

#include <grpcpp/server.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "common/os/unique_fd.h"
#include "guest-agent/service/guest_agent_service.h"
#include "guest-agent/service/health_service.h"

namespace ballast::agent {

class AgentServer {
 public:
  // `service` must outlive the server. Serves health checks and reflection beside it.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<AgentServer>> Start(GuestAgentService& service);
  ~AgentServer();
  AgentServer(const AgentServer&) = delete;
  AgentServer& operator=(const AgentServer&) = delete;

  // Serves a connected, non-blocking stream socket until either side closes it.
  void Serve(UniqueFd connection);
  // Cancels the calls still open after half a second. The SampleLoop is to be stopped before, which ends
  // every Watch. Serve must not be called any more.
  void Stop();

 private:
  AgentServer() = default;

  void CutOff();

  HealthService health_;
  std::unique_ptr<grpc::Server> server_;
  // Duplicates of what was served; those that are over are dropped when another comes.
  std::vector<UniqueFd> connections_;
};

}  // namespace ballast::agent
