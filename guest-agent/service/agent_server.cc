#include "guest-agent/service/agent_server.h"

#include <fcntl.h>
#include <grpc/event_engine/event_engine.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "guest-agent/service/timer_engine.h"

namespace ballast::agent {
namespace {

// The largest request has a dozen numbers; these bounds only stop abuse.
constexpr int kMaxMessageBytes = 64 * 1024;
constexpr int kMaxMetadataBytes = 8 * 1024;
constexpr int kMaxStreamsPerConnection = 32;
// What a client may send ahead on one stream. No request is near it, so gRPC need not probe for a better one.
constexpr int kStreamWindowBytes = 16 * 1024;
// What one read of a connection may take at once; gRPC's own bound is 4 MiB.
constexpr int kReadBytes = 16 * 1024;
// A message is taken in whole before its size is checked; this is what bounds it. Past it gRPC ends streams,
// and not always the guilty one, so a single senseless request must stay far below.
constexpr size_t kMemoryQuotaBytes = size_t{32} << 20;
// One for each watcher, each waiting request for memory and the one act, the pollers, and the rest for calls
// that are soon over and for reflection.
constexpr int kMinPollers = 1;
constexpr int kMaxPollers = 2;
constexpr int kMaxThreads = static_cast<int>(SampleLoop::kMaxWatchers + RequestBoard::kMaxWaiting) + 1 + 8;
// A poller that found nothing for so long looks whether it is one too many; an idle agent should sleep.
constexpr int kPollMs = 60'000;
// A guest restored from a snapshot, or a host's proxy that forgot it, leaves connections that look open.
constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
constexpr int kMinPingGapMs = 1'000;
constexpr int kMaxPingStrikes = 8;
// For the last status to reach the clients; one that does not read it is cut off.
constexpr auto kFarewell = std::chrono::milliseconds(500);

void SetBounds(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // A message's size is checked only after it was unpacked.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kStreamWindowBytes);
  builder.AddChannelArgument(GRPC_ARG_TCP_READ_CHUNK_SIZE, kReadBytes);
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, kReadBytes);
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
  using Option = grpc::ServerBuilder::SyncServerOption;
  builder.SetSyncServerOption(Option::NUM_CQS, 1);
  builder.SetSyncServerOption(Option::MIN_POLLERS, kMinPollers);
  builder.SetSyncServerOption(Option::MAX_POLLERS, kMaxPollers);
  builder.SetSyncServerOption(Option::CQ_TIMEOUT_MSEC, kPollMs);
}

// gRPC shuts a socket down when it is done with it, so its duplicates hang up, too.
bool IsHungUp(const UniqueFd& fd) {
  pollfd polled{fd.Get(), 0, 0};
  return ::poll(&polled, 1, 0) > 0;
}

// An engine that does not wake while nothing is due, in the place of gRPC's own. And:
// gRPC's last user to leave waits for threads that may poll for 10 s more, when a peer's socket was full a
// moment ago. So the library stays, for as long as the process lives, and the agent stops at once.
void KeepGrpcUp() {
  [[maybe_unused]] static const bool up = [] {
    grpc_event_engine::experimental::SetEventEngineFactory([] { return std::make_unique<TimerEngine>(); });
    grpc_init();
    return true;
  }();
}

}  // namespace

absl::StatusOr<std::unique_ptr<AgentServer>> AgentServer::Start(GuestAgentService& service) {
  KeepGrpcUp();
  // gRPC logs what a peer sent as it came, line ends included. All that matters of it comes as a status.
  gpr_set_log_function([](gpr_log_func_args*) {});
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  SetBounds(builder);
  std::unique_ptr<AgentServer> server(new AgentServer);
  builder.RegisterService(&service);
  builder.RegisterService(&server->health_);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr) return absl::InternalError("the gRPC server does not start");
  return server;
}

AgentServer::~AgentServer() {
  if (server_ != nullptr) Stop();
}

void AgentServer::Serve(UniqueFd connection) {
  std::erase_if(connections_, [](const UniqueFd& fd) { return IsHungUp(fd); });
  UniqueFd duplicate(::fcntl(connection.Get(), F_DUPFD_CLOEXEC, 0));
  // Without a descriptor to spare the connection could not be cut off later; its peer may try again.
  if (!duplicate.IsOpen()) return;
  connections_.push_back(std::move(duplicate));
  grpc::AddInsecureChannelFromFd(server_.get(), connection.Release());
}

// gRPC waits for writes under way even after it cancelled their calls; into the full socket of a peer that
// does not read they never end.
void AgentServer::Stop() {
  std::promise<void> stopped;
  std::thread cutter([this, done = stopped.get_future()] {
    if (done.wait_for(kFarewell) == std::future_status::timeout) CutOff();
  });
  server_->Shutdown(std::chrono::system_clock::now() + kFarewell);
  stopped.set_value();
  cutter.join();
}

void AgentServer::CutOff() {
  for (const UniqueFd& connection : connections_) ::shutdown(connection.Get(), SHUT_RDWR);
}

}  // namespace ballast::agent
