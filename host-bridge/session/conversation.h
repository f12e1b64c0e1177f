// One connection's gRPC conversation with an agent: GetInfo (a few times, to relate the clocks), then Watch until
// the stream ends. The descriptor's channel cannot reconnect; a new connection is a new Conversation.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "ballast/guest/v1/guest_agent.grpc.pb.h"
#include "common/os/clock.h"
#include "common/os/unique_fd.h"
#include "host-bridge/observe/clock_offset.h"
#include "host-bridge/observe/convert_report.h"
#include "host-bridge/session/session_observer.h"

namespace ballast::session {

// What the bridge asks of every agent.
struct WatchSettings {
  guest::v1::WatchRequest request;
  Nanos info_deadline = Seconds(5);
  // How often the two clocks are compared again: at 200 ppm of drift they part by 6 ms in this time.
  Nanos clock_interval = Seconds(30);
};

class Conversation {
 public:
  Conversation(UniqueFd fd, const WatchSettings& settings, const Clock& clock, SessionObserver& observer);
  ~Conversation();

  // `on_end` is called once, from one of gRPC's threads, with how it ended. It is the last thing that happens: only
  // after it may the conversation be destroyed, and not from within (a channel must not die on gRPC's own thread).
  void Start(std::function<void(absl::Status)> on_end);
  // From any thread. The conversation still ends by `on_end`.
  void Cancel();
  // When the last message came, or the conversation began. There is no keepalive ping from this side: a stopped guest
  // must be left alone, and a running one reports by itself. From any thread.
  [[nodiscard]] MonotonicTime LastHeard() const { return MonotonicTime{heard_ns_.load(std::memory_order_relaxed)}; }

 private:
  class Watch;

  void AskInfo();
  void OnInfo(MonotonicTime asked, const grpc::Status& status);
  void Introduced();
  void CompareClocksIfDue(MonotonicTime now);
  void OnMessage(const guest::v1::WatchResponse& message);
  void OnReport(const guest::v1::Report& report);
  void OnEvent(const guest::v1::Event& event);
  void OnWatchDone(const absl::Status& result);
  void EndIfQuiet();

  const WatchSettings settings_;
  const Clock& clock_;
  SessionObserver& observer_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<guest::v1::GuestAgent::Stub> stub_;
  const guest::v1::GetInfoRequest info_request_;

  // Used by the call that runs alone, one after another: first GetInfo, later the Watch.
  int infos_wanted_;
  std::unique_ptr<Watch> watch_;
  std::optional<observe::ReportMemory> report_memory_;
  int64_t page_size_bytes_ = 4096;
  std::string boot_id_;
  uint64_t generation_ = 0;

  // Once the Watch runs, a GetInfo may run beside it (to compare the clocks again); both use what follows.
  std::atomic<int64_t> heard_ns_;

  std::mutex mutex_;
  bool cancelled_ = false;
  absl::Status refused_;  // why we ended it ourselves; OK: we did not
  std::unique_ptr<grpc::ClientContext> info_context_;
  std::unique_ptr<grpc::ClientContext> watch_context_;
  guest::v1::GetInfoResponse info_;
  bool info_running_ = false;
  std::optional<absl::Status> watch_result_;
  observe::ClockEstimate clock_estimate_;
  MonotonicTime clocks_compared_;
  std::function<void(absl::Status)> on_end_;
};

}  // namespace ballast::session
