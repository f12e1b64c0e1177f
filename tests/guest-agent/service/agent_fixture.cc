#include "tests/guest-agent/service/agent_fixture.h"

#include <fcntl.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "common/base/text.h"

namespace ballast::agent {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

}  // namespace

Watching::Watching(const std::shared_ptr<grpc::Channel>& channel, const guest::v1::WatchRequest& request)
    : stub_(guest::v1::GuestAgent::NewStub(channel)) {
  context_.set_deadline(std::chrono::system_clock::now() + kPatience);
  reader_ = stub_->Watch(&context_, request);
}

Watching::~Watching() {
  context_.TryCancel();
  if (reader_ != nullptr) {
    guest::v1::WatchResponse rest;
    while (reader_->Read(&rest)) {
    }
    (void)reader_->Finish();
  }
}

guest::v1::WatchResponse Watching::Next() {
  guest::v1::WatchResponse response;
  EXPECT_TRUE(reader_->Read(&response)) << "the stream ended";
  return response;
}

std::optional<guest::v1::WatchResponse> Watching::Until(
    const std::function<bool(const guest::v1::WatchResponse&)>& enough) {
  guest::v1::WatchResponse response;
  while (reader_->Read(&response)) {
    if (enough(response)) return response;
  }
  return std::nullopt;
}

grpc::Status Watching::Finish() {
  guest::v1::WatchResponse rest;
  while (reader_->Read(&rest)) {
  }
  auto status = reader_->Finish();
  reader_.reset();
  return status;
}

void AgentFixture::SetUp() {
  static std::atomic<int> number{0};
  directory_ = StrCat("/tmp/ballast-agent-test.", ::getpid(), ".", ++number);
  std::filesystem::create_directories(directory_);
  socket_ = directory_ + "/agent.sock";
  tree_ = std::make_unique<fakes::GuestTree>(directory_ + "/root", kGiB, 900 * kMiB);
  const FileReader files(tree_->Root());
  Sensors sensors(files);
  identity_.version = "test";
  identity_.generation = kGeneration;
  identity_.machine = ReadMachineFacts(files);
  identity_.capabilities.assign(sensors.Capabilities().begin(), sensors.Capabilities().end());
  auto loop = SampleLoop::Start(std::move(sensors), std::nullopt, clock_,
                                {.on_thread_start = {},
                                 .verdicts = &verdicts_,
                                 .generation = kGeneration,
                                 .reclaim_stalls = {},
                                 .blocks = [this]() -> std::optional<BlockFacts> {
                                   if (blocks_ == nullptr) return std::nullopt;
                                   return BlockFacts{blocks_->Keeper().Table().Sums(), false};
                                 },
                                 .watch = watch_});
  ASSERT_TRUE(loop.ok()) << loop.status();
  loop_ = *std::move(loop);
  acts_ = std::make_unique<Acts>(Acts::Options{tree_->Root(), identity_.machine, {}}, *helpers_, clock_);
  service_ = std::make_unique<GuestAgentService>(identity_, *loop_, *acts_, blocks_, clock_);
  auto server = AgentServer::Start(*service_);
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  Listener::Options options;
  auto local = ListenUnix(socket_, 0600, 64);
  ASSERT_TRUE(local.ok()) << local.status();
  options.local = *std::move(local);
  options.serve = [this](UniqueFd connection) { server_->Serve(std::move(connection)); };
  Configure(options);
  auto listener = Listener::Start(std::move(options), clock_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  listener_ = *std::move(listener);
}

void AgentFixture::StopAgent() {
  if (listener_) listener_->Stop();
  if (loop_) loop_->Stop();
  if (server_) server_->Stop();
}

void AgentFixture::TearDown() {
  StopAgent();
  listener_.reset();
  server_.reset();
  service_.reset();
  acts_.reset();
  loop_.reset();
  tree_.reset();
  std::filesystem::remove_all(directory_);
}

std::shared_ptr<grpc::Channel> AgentFixture::Connect(std::optional<int> window_bytes) const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  if (window_bytes) {
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, *window_bytes);
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // it would widen the window again
  }
  return grpc::CreateCustomChannel("unix:" + socket_, grpc::InsecureChannelCredentials(), arguments);
}

UniqueFd AgentFixture::ConnectRaw() const {
  // The kernel refuses while the agent has not yet accepted the last 64.
  absl::StatusOr<UniqueFd> fd = absl::UnavailableError("not tried");
  EXPECT_TRUE(Eventually([&] {
    fd = StartConnectUnix(socket_);
    return fd.ok();
  }));
  if (!fd.ok()) return UniqueFd();
  const int flags = ::fcntl(fd->Get(), F_GETFL);
  ::fcntl(fd->Get(), F_SETFL, flags & ~O_NONBLOCK);
  return *std::move(fd);
}

bool AgentFixture::Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return holds();
}

}  // namespace ballast::agent
