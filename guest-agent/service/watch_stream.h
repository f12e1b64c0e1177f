// One watcher's outgoing messages: the newest report, a bounded queue of events and at most one write under
// way, so that a watcher that never reads costs a fixed amount of memory and delays nobody.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

// Thread-safe. Always held by a shared_ptr: by the sampling thread and, while the call lives, by its reactor.
// No call into gRPC is made with the mutex held.
class WatchStream : public std::enable_shared_from_this<WatchStream> {
 public:
  static constexpr size_t kMaxEvents = 64;

  // `identity` must outlive the stream.
  WatchStream(const WatchSettings& settings, const AgentIdentity& identity)
      : settings_(settings), identity_(identity) {}

  [[nodiscard]] const WatchSettings& Settings() const { return settings_; }

  // The reactor that gRPC drives this call with; it deletes itself after `on_done`. Call once.
  [[nodiscard]] grpc::ServerWriteReactor<guest::v1::WatchResponse>* Open(std::function<void()> on_done);

  // Before any other message.
  void OfferHello(const ReportFacts& report);
  // Replaces a report that was not sent yet.
  void OfferReport(const ReportFacts& report);
  // Dropped and counted when kMaxEvents wait already.
  void OfferEvent(const EventFacts& event);

  // Ends the call as soon as no write is under way.
  void End(const grpc::Status& status);
  // True once the call is over; nothing offered after that is sent.
  [[nodiscard]] bool IsOver() const { return over_.load(std::memory_order_acquire); }

 private:
  class Reactor;
  using Lock = std::unique_lock<std::mutex>;

  void WriteDone(bool ok);
  void Pump(Lock lock);
  [[nodiscard]] bool FillNext();

  const WatchSettings settings_;
  const AgentIdentity& identity_;
  std::atomic<bool> over_{false};

  std::mutex mutex_;
  Reactor* reactor_ = nullptr;  // null before Open; lives until after Finish
  bool writing_ = false;
  bool finished_ = false;
  std::optional<grpc::Status> end_;
  bool hello_due_ = false;  // the next message is a hello with report_
  std::optional<ReportFacts> report_;
  uint64_t report_sequence_ = 0;
  struct NumberedEvent {
    uint64_t sequence = 0;
    EventFacts facts;
  };
  std::array<NumberedEvent, kMaxEvents> events_{};
  size_t first_event_ = 0;
  size_t event_count_ = 0;
  uint64_t events_lost_ = 0;
  uint64_t last_sequence_ = 0;
  guest::v1::WatchResponse message_;  // being written while writing_
};

}  // namespace ballast::agent
