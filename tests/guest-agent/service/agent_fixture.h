// A whole agent in this process, over a Unix socket, reading a tree that the test rewrites.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ballast/guest/v1/guest_agent.grpc.pb.h"
#include "common/base/units.h"
#include "common/os/clock.h"
#include "common/os/unique_fd.h"
#include "guest-agent/act/helper_process.h"
#include "guest-agent/service/agent_server.h"
#include "guest-agent/service/listener.h"
#include "tests/fakes/guest_tree.h"

namespace ballast::agent {

// One Watch; ends with the object.
class Watching {
 public:
  Watching(const std::shared_ptr<grpc::Channel>& channel, const guest::v1::WatchRequest& request);
  ~Watching();

  // The next message; fails the test and returns an empty one if the stream ended.
  guest::v1::WatchResponse Next();
  // Reads on until `enough`, at most `deadline`; nothing if it never came.
  std::optional<guest::v1::WatchResponse> Until(
      const std::function<bool(const guest::v1::WatchResponse&)>& enough);
  grpc::Status Finish();

 private:
  grpc::ClientContext context_;
  std::unique_ptr<guest::v1::GuestAgent::Stub> stub_;
  std::unique_ptr<grpc::ClientReader<guest::v1::WatchResponse>> reader_;
};

class AgentFixture : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // How the listener is set up; to be changed before SetUp ends in a derived fixture.
  virtual void Configure(Listener::Options& /*options*/) {}

  // Each call is a connection of its own. With `window_bytes` the agent may send only so much ahead of what
  // is read.
  [[nodiscard]] std::shared_ptr<grpc::Channel> Connect(std::optional<int> window_bytes = std::nullopt) const;
  // A blocking socket that speaks no gRPC.
  [[nodiscard]] UniqueFd ConnectRaw() const;
  [[nodiscard]] std::unique_ptr<Watching> Watch(const guest::v1::WatchRequest& request = {}) const {
    return std::make_unique<Watching>(Connect(), request);
  }
  // True when `holds` becomes true within 10 s.
  [[nodiscard]] static bool Eventually(const std::function<bool()>& holds);

  [[nodiscard]] fakes::GuestTree& Guest() { return *tree_; }
  static constexpr uint64_t kGeneration = 7;
  [[nodiscard]] VerdictLog& Verdicts() { return verdicts_; }
  // The agent of a derived fixture may have memory blocks: set before SetUp of this one.
  void UseBlocks(BlockActs* blocks) { blocks_ = blocks; }
  // Likewise a watch of its memory.
  void UseWatch(MemoryWatch* watch) { watch_ = watch; }
  [[nodiscard]] SampleLoop& Loop() { return *loop_; }
  [[nodiscard]] Listener& TheListener() { return *listener_; }
  [[nodiscard]] const std::string& SocketPath() const { return socket_; }
  void StopAgent();

  SystemClock clock_;

 private:
  std::string directory_;
  std::string socket_;
  std::unique_ptr<fakes::GuestTree> tree_;
  AgentIdentity identity_;
  VerdictLog verdicts_;
  std::unique_ptr<SampleLoop> loop_;
  std::unique_ptr<HelperStarter> helpers_ = std::make_unique<HelperProcessStarter>("/nowhere");
  std::unique_ptr<Acts> acts_;
  BlockActs* blocks_ = nullptr;
  MemoryWatch* watch_ = nullptr;
  std::unique_ptr<GuestAgentService> service_;
  std::unique_ptr<AgentServer> server_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace ballast::agent
