// One watcher's outgoing messages: the newest report, a bounded queue of events and one writer, so that a
// watcher that never reads costs a fixed amount of memory and delays nobody.
#pragma once

#include <grpcpp/support/status.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

#include "ballast/guest/v1/guest_agent.pb.h"
#include "common/base/time.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

// Thread-safe. Held by the sampling thread and others that broadcast, which offer, and by the call's own
// thread, which waits and fills.
class WatchStream {
 public:
  static constexpr size_t kMaxEvents = 64;

  // `identity` must outlive the stream.
  WatchStream(const WatchSettings& settings, const AgentIdentity& identity)
      : settings_(settings), identity_(identity) {}
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;

  [[nodiscard]] const WatchSettings& Settings() const { return settings_; }

  // Once; sent before any other message. Events that were offered earlier follow it.
  void OfferHello(const ReportFacts& report);
  // Replaces a report that was not sent yet.
  void OfferReport(const ReportFacts& report);
  // Dropped and counted when kMaxEvents wait already. A verdict that was offered before is left out: it may
  // come out of the log and at the same time for the first time.
  void OfferEvent(const EventFacts& event);
  // The call shall end with this status, messages that still wait notwithstanding. The first one counts.
  void End(const grpc::Status& status);
  // The call's thread shall see at once whether its client is still there.
  void Prod();
  // True once the call is over; nothing offered after that is sent.
  [[nodiscard]] bool IsOver() const { return over_.load(std::memory_order_acquire); }

  // For the call's thread alone:
  enum class Turn { kWrite, kLookAround, kEnd };
  // What to do next; kLookAround when prodded and after `at_most` without anything else.
  [[nodiscard]] Turn Wait(std::chrono::milliseconds at_most);
  // After kWrite: the waiting message with the smallest number into an empty `message`.
  void FillNext(guest::v1::WatchResponse& message);
  // After kEnd.
  [[nodiscard]] grpc::Status EndStatus() const;
  // How to cancel the call from outside, valid until SetOver.
  void SetCancel(std::function<void()> cancel);
  // Around each write.
  void WriteBegins(MonotonicTime now) { writing_since_ns_.store(now.ns, std::memory_order_relaxed); }
  void WriteEnds() { writing_since_ns_.store(0, std::memory_order_relaxed); }
  void SetOver();

  // For the sampling thread: cancels a call whose write began before `limit` and has not ended. Its client
  // does not read; without this it would keep one of the few places for ever, since keepalive does not notice
  // it.
  void CancelIfWritingSince(MonotonicTime limit);

 private:
  struct Outgoing {
    uint64_t sequence = 0;
    std::optional<EventFacts> event;  // else a report
    ReportFacts report;
    bool hello = false;
    uint64_t events_lost = 0;
  };
  [[nodiscard]] Outgoing TakeNext();

  const WatchSettings settings_;
  const AgentIdentity& identity_;
  std::atomic<bool> over_{false};
  std::atomic<int64_t> writing_since_ns_{0};  // 0: not writing

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<grpc::Status> end_;
  std::function<void()> cancel_;
  bool prodded_ = false;
  bool greeted_ = false;    // the hello was offered
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
  uint64_t last_verdict_id_ = 0;
};

}  // namespace ballast::agent
