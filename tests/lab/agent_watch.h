// A watcher of a guest's agent as a test wants it: everything it was told, kept.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ballast/guest/v1/guest_agent.grpc.pb.h"
#include "common/transport/address.h"

namespace ballast::lab {

class AgentWatch {
 public:
  // Tries until the agent answers. The hello has come when it returns.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<AgentWatch>> Connect(
      const Address& agent, const guest::v1::WatchRequest& request = {},
      absl::Duration timeout = absl::Seconds(15));
  ~AgentWatch();
  AgentWatch(const AgentWatch&) = delete;
  AgentWatch& operator=(const AgentWatch&) = delete;

  [[nodiscard]] const guest::v1::GetInfoResponse& info() const { return info_; }
  // Its report is all freshly read.
  [[nodiscard]] const guest::v1::Hello& hello() const { return hello_; }
  // All events so far for which `wanted` holds, as soon as there are `count`, at the latest after `timeout`.
  [[nodiscard]] std::vector<guest::v1::Event> Events(
      const std::function<bool(const guest::v1::Event&)>& wanted, size_t count, absl::Duration timeout);
  [[nodiscard]] std::vector<guest::v1::OomVerdict> Verdicts(size_t count, absl::Duration timeout);
  [[nodiscard]] guest::v1::Report LastReport();
  // The newest report once it is `enough`; nothing when none was in time.
  [[nodiscard]] std::optional<guest::v1::Report> Until(
      const std::function<bool(const guest::v1::Report&)>& enough, absl::Duration timeout);

  struct SeenReport {
    absl::Time at;  // when it arrived
    guest::v1::Report report;
  };
  // All reports so far, the hello's first.
  [[nodiscard]] std::vector<SeenReport> Reports();
  // Why the stream ended; OK while it lasts.
  [[nodiscard]] absl::Status Ended();

 private:
  AgentWatch() = default;
  static absl::StatusOr<std::unique_ptr<AgentWatch>> TryConnect(const Address& agent,
                                                                const guest::v1::WatchRequest& request);
  void Run();

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<guest::v1::GuestAgent::Stub> stub_;
  guest::v1::GetInfoResponse info_;
  guest::v1::Hello hello_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<guest::v1::WatchResponse>> reader_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<guest::v1::Event> events_;
  std::vector<SeenReport> seen_;  // never empty once the hello has come
  absl::Status ended_;
  std::thread thread_;
};

}  // namespace ballast::lab
