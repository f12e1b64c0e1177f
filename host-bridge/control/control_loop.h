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
#include "host-bridge/control/plug_desk.h"
#include "host-bridge/control/request_book.h"
#include "host-bridge/control/resizer.h"
#include "host-bridge/control/status_board.h"
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
  session::GuestLink* link = nullptr;     // null: none to look after
  vmm::MemoryDevices* devices = nullptr;  // null: nothing is ever plugged into it
};

struct LoopSettings {
  policy::PolicyConfig policy;
  Nanos tick = Seconds(1);  // the longest time between two looks; urgent news is taken at once
  // The host is read at every look, but no more often than this: reading costs microseconds, and what was
  // granted since an older reading would be counted as still there.
  Nanos host_interval = Milliseconds(100);
  std::vector<policy::ReclaimHold> reclaim_holds = {};  // the operator's (rule 6)
  bool dry_run = false;          // the actuators only pretend; said in each decision's line
  StatusBoard* board = nullptr;  // where it shows the guests; null: nowhere
  ResizeBox* resizes = nullptr;  // what operators wish; null: nothing
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
  // How long it may sleep when nothing new comes: until the next tick, until a request must be answered, or
  // until a change of plugged memory has to be looked at.
  [[nodiscard]] Nanos LongestWait() const;

 private:
  // A command on its way: what the log will need when its receipt comes.
  struct Pending {
    uint64_t id = 0;
    policy::Decision decision;
  };
  struct PlugOrder {
    uint64_t ticket = 0;  // the desk's
    int64_t target_bytes = 0;
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
    policy::Mode mode = policy::Mode::kFull;  // as configured
    PlugDesk desk;
    Resizer resizer = {};
    std::optional<PlugOrder> operators = {};  // the operator's change of plugged memory, while it goes on
    // For the board.
    bool changed = true;
    std::string last_decision = {};
    std::optional<MonotonicTime> decided_at = {};
    std::string hold = {};
  };

  void RefreshHost(MonotonicTime now);
  void TakeNews(size_t index, MonotonicTime now);
  void TendLink(Guest& guest, const policy::GuestFacts& facts, bool was_reset);
  void TakeReceipt(size_t index, const vmm::Receipt& receipt);
  void CheckSettled(size_t index);
  // `history`: the guest's, as it will be after this round.
  void Act(const policy::Decision& decision, policy::GuestHistory& history);
  // An operator's resize ends here, with all that it has set going.
  void CallOffResize(Guest& guest, const policy::GuestFacts& facts, policy::GuestHistory& history);
  void Act(const policy::PlugDecision& decision);
  void Remember(Guest& guest, const std::string& decision);
  // Sends a balloon's target off; its number.
  uint64_t Command(Guest& guest, const policy::Decision& decision);
  void TakeResizes(MonotonicTime now);
  void BeginResize(std::shared_ptr<ResizeTicket> ticket, MonotonicTime now);
  void TendPlugged(size_t index, MonotonicTime now);
  [[nodiscard]] Resizer::Hands HandsOf(size_t index, MonotonicTime now);
  // What becomes of a change of plugged memory that has ended.
  void NoteEnded(size_t index, const PlugDesk::Ended& ended);
  void LogPlugged(const Guest& guest, const hotplug::Result& result);
  // Nothing is taken from a guest that an operator resizes.
  void SetMode(size_t index);
  void ShowStatus();
  void LogHolds(const policy::Outcome& outcome);
  void TakeRequests(size_t index, std::vector<RequestNews> requests, MonotonicTime now);
  void Reply(const policy::Answer& answer);
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
