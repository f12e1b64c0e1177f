// The one thread that decides: takes the news, makes the snapshot, calls Decide, hands decisions to the
// actuators and logs a line for each. It waits for nobody: actuators and sessions answer through mailboxes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/os/clock.h"
#include "host-bridge/control/guest_mailbox.h"
#include "host-bridge/control/request_book.h"
#include "host-bridge/control/wakeup.h"
#include "host-bridge/policy/decide.h"
#include "host-bridge/session/guest_link.h"
#include "host-bridge/vmm/actuator.h"

namespace ballast::control {

using LogSink = std::function<void(LogLevel, const std::string&)>;

// One guest as the loop knows it. The mailbox and the actuator live outside and outlive the loop.
struct ManagedGuest {
  policy::GuestLimits limits;
  GuestMailbox* mailbox = nullptr;
  vmm::Actuator* actuator = nullptr;
  session::GuestLink* link = nullptr;  // null: none to look after
};

struct LoopSettings {
  policy::PolicyConfig policy;
  Nanos tick = Seconds(1);  // the longest time between two looks; urgent news is taken at once
  // The host is read at every look, but no more often than this: reading costs microseconds, and what was
  // granted since an older reading would be counted as still there.
  Nanos host_interval = Milliseconds(100);
  std::vector<policy::ReclaimHold> reclaim_holds = {};  // the operator's (rule 6)
  bool dry_run = false;  // the actuators only pretend; said in each decision's line
  // Given what Decide was given and what it returned, and what was heard of OOM kills meanwhile, before
  // anything is done about it; must not wait. Empty: nothing is recorded.
  std::function<void(const policy::Snapshot&, MonotonicTime, const policy::Outcome&,
                     const std::vector<policy::OomVerdict>&)>
      record = nullptr;
};

class ControlLoop {
 public:
  using ReadHost = std::function<absl::StatusOr<Sampled<policy::HostReading>>()>;

  ControlLoop(LoopSettings settings, std::vector<ManagedGuest> guests, ReadHost read_host, const Clock& clock,
              Wakeup& wakeup, LogSink log);

  // Steps until told to stop (and rung).
  void Run(const std::stop_token& stop);
  // One round with all the news there is.
  void Step();

 private:
  // A command on its way: what the log will need when its receipt comes.
  struct Pending {
    uint64_t id = 0;
    policy::Decision decision;
  };
  static constexpr int kRequestLines = 20;
  struct Guest {
    ManagedGuest ports;
    std::vector<Pending> pending;
    std::optional<policy::Hold::Why> last_hold;
    std::optional<BalloonBytes> settling;  // a target whose arrival is still to be reported
    MonotonicTime settling_since;
    RequestBook requests = {};
    int request_lines = kRequestLines;  // that its requests may still take in the log until the next refill
    bool vmm_lost = false;              // and nobody has answered since
    bool link_held = true;              // a session starts held: whether its guest runs is not known yet
  };

  void RefreshHost(MonotonicTime now);
  void TakeNews(size_t index, MonotonicTime now);
  void TendLink(Guest& guest, const policy::GuestFacts& facts, bool was_reset);
  void TakeReceipt(size_t index, const vmm::Receipt& receipt);
  void CheckSettled(size_t index);
  void Act(const policy::Decision& decision);
  void LogHolds(const policy::Outcome& outcome);
  void TakeRequests(size_t index, std::vector<RequestNews> requests, MonotonicTime now);
  void Reply(const policy::Answer& answer);
  // How long the loop may sleep: until the next tick, or until a request must be answered.
  [[nodiscard]] Nanos LongestWait() const;
  void Say(LogLevel level, const Guest& guest, const std::string& text);

  const LoopSettings settings_;
  const ReadHost read_host_;
  const Clock& clock_;
  Wakeup& wakeup_;
  const LogSink log_;
  std::vector<Guest> guests_;
  policy::Decider decider_;
  policy::Snapshot snapshot_;                 // guests in the same order as guests_
  std::vector<policy::OomVerdict> verdicts_;  // of this step
  std::optional<MonotonicTime> host_read_at_;
  bool host_lost_ = false;
  MonotonicTime ration_renewed_;
  uint64_t next_id_ = 1;
};

}  // namespace ballast::control
