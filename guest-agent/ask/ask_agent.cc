#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>

#include <chrono>

#include "ballast/guest/v1/guest_agent.grpc.pb.h"
#include "common/base/text.h"
#include "common/transport/socket.h"
#include "guest-agent/ask/ask_command.h"
#include "guest-agent/ask/wire_urgency.h"

namespace ballast::agent {
namespace {

// For the answer "nobody answered" to come back when the agent has waited as long as it was told to.
constexpr auto kGrace = std::chrono::seconds(1);

}  // namespace

absl::StatusOr<MemoryGrant> AskAgent(const AskOptions& options) {
  // Connected here and not by gRPC, which would try again and again where nobody listens.
  auto connection = StartConnectUnix(options.socket);
  if (!connection.ok()) return WithContext("the agent cannot be reached", connection.status());
  const auto channel = grpc::CreateInsecureChannelFromFd("ballast-agent", connection->Release());
  const auto stub = guest::v1::GuestAgent::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(options.deadline_ms) +
                       kGrace);
  guest::v1::RequestMemoryRequest request;
  request.set_bytes(options.bytes);
  request.set_urgency(ToWire(options.urgency));
  request.set_deadline_ms(options.deadline_ms);
  request.set_asker(options.asker);
  guest::v1::RequestMemoryResponse response;
  const grpc::Status status = stub->RequestMemory(&context, request, &response);
  if (!status.ok()) {
    return absl::Status(static_cast<absl::StatusCode>(status.error_code()), ToAbsl(status.error_message()));
  }
  return MemoryGrant{response.granted_bytes(), response.actuator(), response.eta_ms(), response.reason()};
}

}  // namespace ballast::agent
