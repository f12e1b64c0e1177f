// The standing link to one guest's agent: dial, introduce, watch; when that ends, dial again with back-off.
// Each connection is a conversation of its own that resynchronises full state and then streams until it dies.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <future>
#include <memory>
#include <string>

#include "common/base/time.h"
#include "common/os/clock.h"
#include "common/transport/address.h"
#include "host-bridge/session/conversation.h"
#include "host-bridge/session/dialer.h"
#include "host-bridge/session/guest_link.h"
#include "host-bridge/session/session_observer.h"

namespace ballast::session {

struct SessionConfig {
  std::string name;
  Address agent;
  bool listen = false;  // the agent dials
  WatchSettings watch;
  Nanos dial_deadline = Seconds(5);  // a guest that boots answers late; a hybrid VMM may queue the request
  Nanos first_backoff = Milliseconds(100);
  Nanos max_backoff = Seconds(5);
  // A conversation in which nothing was heard for this long is given up, while the guest runs. Three reports
  // of the slowest cadence; the peer's death is told at once by most transports, but not by all.
  Nanos silence_limit = Seconds(30);
  // How long a reset guest is left alone: the time to boot as far as its vsock driver.
  Nanos reset_grace = Seconds(10);
  bool held_at_start = false;  // until the first Release: whether the guest runs is not known yet
};

class GuestSession final : public GuestLink {
 public:
  // Everything passed by reference must outlive the session. `io` must be run by another thread, one only,
  // until the session is destroyed.
  GuestSession(boost::asio::io_context& io, CallQueue& calls, SessionConfig config, const Clock& clock,
               SessionObserver& observer);
  // Ends the conversation; no observer call runs or follows once it returns. Not from the I/O thread.
  ~GuestSession() override;
  GuestSession(const GuestSession&) = delete;
  GuestSession& operator=(const GuestSession&) = delete;

  void Start();

  void Hold() override;
  void Release() override;
  void Renew() override;
  void Answer(const MemoryAnswer& answer) override;
  void Order(const observe::BlockOrder& order) override;
  void CallOff(uint64_t order) override;

 private:
  Task<void> Run();
  Task<absl::StatusOr<UniqueFd>> Connect();
  Task<absl::Status> Attempt();
  Task<absl::Status> Converse(UniqueFd fd);
  Task<void> AwaitRelease();
  [[nodiscard]] bool IsHeld() const { return stopped_ || renewing_; }
  void SetHold(bool& reason, bool held);
  [[nodiscard]] bool IsSilent() const;
  void Report(SessionState state, const absl::Status& why);

  boost::asio::io_context& io_;
  CallQueue& calls_;
  const SessionConfig config_;
  const Clock& clock_;
  SessionObserver& observer_;
  boost::asio::cancellation_signal cancel_;     // I/O thread only
  bool stopping_ = false;                       // I/O thread only
  KnownVerdict known_verdict_;                  // the conversation's, while there is one
  std::unique_ptr<Conversation> conversation_;  // I/O thread only
  absl::StatusOr<ReverseLink> listener_{absl::UnavailableError("not listening")};
  std::promise<void> ended_;
  bool started_ = false;
  // I/O thread only.
  bool stopped_;           // the guest does not run, or that is not known yet
  bool renewing_ = false;  // it was reset a moment ago
  // Counts conversations, so that a renewal ends the one it was meant for and no younger one.
  uint64_t conversations_ = 0;
  MonotonicTime released_at_;          // silence counts from here at the earliest
  boost::asio::steady_timer release_;  // rung by Release
  boost::asio::steady_timer renewal_;
  SessionState state_ = SessionState::kConnecting;
  std::string last_failure_;
};

}  // namespace ballast::session
