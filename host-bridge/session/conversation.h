// One connection's gRPC conversation with an agent: GetInfo (a few times, to relate the clocks), then Watch
// until the stream ends. The descriptor's channel cannot reconnect; a new connection is a new Conversation.
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
#include "host-bridge/session/call_queue.h"
#include "host-bridge/session/guest_link.h"
#include "host-bridge/session/session_observer.h"
#include "host-bridge/session/unary_calls.h"

namespace ballast::session {

// What the bridge asks of every agent.
struct WatchSettings {
  guest::v1::WatchRequest request;
  Nanos info_deadline = Seconds(5);
  // How often the two clocks are compared again: at 200 ppm of drift they part by 6 ms in this time.
  Nanos clock_interval = Seconds(30);
};

// The last verdict that was heard of which agent. Outlives the connections, so that none is told twice and
// those that happened meanwhile are not missed.
struct KnownVerdict {
  uint64_t generation = 0;
  uint64_t id = 0;
};

class Conversation {
 public:
  // What is passed by reference must outlive the conversation; `known` is its own while it lives.
  Conversation(UniqueFd fd, const WatchSettings& settings, CallQueue& queue, const Clock& clock,
               SessionObserver& observer, KnownVerdict& known);
  ~Conversation();

  // `on_end` is called once, on the queue's thread, with how it ended. It is the last thing that happens:
  // only after it may the conversation be destroyed.
  void Start(std::function<void(absl::Status)> on_end);
  // From any thread. The conversation still ends by `on_end`, with `why`.
  void Cancel(const absl::Status& why);
  // Tells the agent what a request gets. From any thread; nothing is sent when the conversation is over, or
  // too many answers are on their way.
  void Answer(const MemoryAnswer& answer);
  // Has the agent carry out an order about memory blocks. From any thread. Its receipt comes on the queue's
  // thread, always; false: it was not taken, and none comes.
  [[nodiscard]] bool Order(const observe::BlockOrder& order);
  // Has the agent stop carrying that one out; its receipt still comes. From any thread.
  void CallOff(uint64_t order) { orders_.Cancel(order); }
  // When the last message came, or the conversation began. There is no keepalive ping from this side: a
  // stopped guest must be left alone, and a running one reports by itself. From any thread.
  [[nodiscard]] MonotonicTime LastHeard() const {
    return MonotonicTime{heard_ns_.load(std::memory_order_relaxed)};
  }

 private:
  [[nodiscard]] grpc::ClientContext* Renew(std::unique_ptr<grpc::ClientContext>& slot);
  void AskInfo();
  void OnInfo();
  void Introduced();
  void CompareClocksIfDue(MonotonicTime now);
  void OnStarted(bool ok);
  void OnRead(bool ok);
  void OnMessage(const guest::v1::WatchResponse& message);
  void OnReport(const guest::v1::Report& report);
  void OnEvent(const guest::v1::Event& event);
  void OnVerdict(const guest::v1::OomVerdict& verdict);
  [[nodiscard]] observe::ReportContext ContextAt(MonotonicTime now) const;
  void OnFinished();
  [[nodiscard]] absl::Status FinalResult();
  void EndIfQuiet();
  [[nodiscard]] bool List(const observe::BlockOrder& order);
  // How a call of the stub begins.
  template <typename Request, typename Response>
  using BeginCall = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> (
      guest::v1::GuestAgent::Stub::*)(grpc::ClientContext*, const Request&, grpc::CompletionQueue*);
  // Online or offline.
  template <typename Request, typename Response>
  [[nodiscard]] bool Change(const observe::BlockOrder& order, BeginCall<Request, Response> begin);
  void Deliver(uint64_t order, const grpc::Status& status, absl::StatusOr<observe::BlockReceipt> receipt);

  const WatchSettings settings_;
  CallQueue& queue_;
  const Clock& clock_;
  SessionObserver& observer_;
  KnownVerdict& known_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<guest::v1::GuestAgent::Stub> stub_;
  std::atomic<int64_t> heard_ns_;

  // Contexts are replaced and cancelled from two threads; all else below them belongs to the queue's thread,
  // where calls start and complete.
  std::mutex mutex_;
  std::optional<absl::Status> cancelled_;  // why
  std::unique_ptr<grpc::ClientContext> info_context_;
  std::unique_ptr<grpc::ClientContext> watch_context_;
  UnaryCalls answers_;
  UnaryCalls orders_;

  grpc::Alarm alarm_;
  CallQueue::Tag begin_;

  // GetInfo: a few times before the Watch, later now and then beside it.
  int infos_wanted_;
  bool info_running_ = false;
  MonotonicTime asked_at_;
  guest::v1::GetInfoResponse info_;
  grpc::Status info_status_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<guest::v1::GetInfoResponse>> info_call_;
  CallQueue::Tag info_done_;
  observe::ClockEstimate clock_estimate_;
  MonotonicTime clocks_compared_;

  // The standing call.
  guest::v1::WatchResponse message_;
  grpc::Status watch_status_;
  std::unique_ptr<grpc::ClientAsyncReader<guest::v1::WatchResponse>> watch_call_;
  CallQueue::Tag started_;
  CallQueue::Tag read_;
  CallQueue::Tag finished_;
  std::optional<absl::Status> result_;
  std::string boot_id_;
  uint64_t generation_ = 0;
  int64_t page_size_bytes_ = 4096;
  std::atomic<int64_t> block_bytes_{0};  // of the guest's memory blocks; 0: it has none, or has not said
  std::optional<observe::ReportMemory> report_memory_;
  std::function<void(absl::Status)> on_end_;
};

}  // namespace ballast::session
