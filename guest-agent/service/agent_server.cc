#include "guest-agent/service/agent_server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

#include <chrono>
#include <utility>

namespace ballast::agent {
namespace {

// The largest request has a dozen numbers; these bounds only stop abuse.
constexpr int kMaxMessageBytes = 64 * 1024;
constexpr int kMaxMetadataBytes = 8 * 1024;
constexpr int kMaxStreamsPerConnection = 32;
// What a client may send ahead on one stream. No request is near it, so gRPC need not probe for a better one.
constexpr int kStreamWindowBytes = 16 * 1024;
// A message is taken in whole before its size is checked; this is what bounds it. Past it gRPC ends streams.
constexpr size_t kMemoryQuotaBytes = size_t{8} << 20;
constexpr int kMaxThreads = 8;
// A guest restored from a snapshot, or a host's proxy that forgot it, leaves connections that look open.
constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
constexpr int kMinPingGapMs = 1'000;
constexpr int kMaxPingStrikes = 8;

void SetBounds(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // unlimited: ours are few
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingGapMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, kMaxPingStrikes);
  grpc::ResourceQuota quota("ballast-agent");
  quota.Resize(kMemoryQuotaBytes);
  quota.SetMaxThreads(kMaxThreads);
  builder.SetResourceQuota(quota);
}

}  // namespace

AgentServer::AgentServer(std::unique_ptr<grpc::Server> server) : server_(std::move(server)) {}

absl::StatusOr<std::unique_ptr<AgentServer>> AgentServer::Start(GuestAgentService& service) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetBounds(builder);
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return absl::InternalError("the gRPC server does not start");
  return std::unique_ptr<AgentServer>(new AgentServer(std::move(server)));
}

AgentServer::~AgentServer() { Stop(); }

void AgentServer::Serve(UniqueFd connection) {
  grpc::AddInsecureChannelFromFd(server_.get(), connection.Release());
}

void AgentServer::Stop() { server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1)); }

}  // namespace ballast::agent
