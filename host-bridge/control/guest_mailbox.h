// Where one guest's session and actuator leave their news for the control thread. Readings: the latest wins.
// Receipts and notices: in order, bounded, the overflow counted. Delivering never waits for the control
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/os/log.h"
#include "host-bridge/control/wakeup.h"
#include "host-bridge/session/session_observer.h"
#include "host-bridge/vmm/actuator.h"
#include "host-bridge/vmm/memory_devices.h"

namespace ballast::control {

// One line worth logging. The sender fills in text, the control thread writes it with the guest's name.
struct Notice {
  LogLevel level = LogLevel::kInfo;
  std::string text;
};

// Counted since the bridge started.
struct MailboxCounters {
  uint64_t reports = 0;
  uint64_t rejected_reports = 0;
  uint64_t events = 0;
  uint64_t dropped_notices = 0;
  // OOM kills by policy::OomScope, as the verdicts have it.
  std::array<uint64_t, 4> oom_kills = {};
  uint64_t dropped_verdicts = 0;  // counted above, but neither logged nor recorded
  uint64_t oom_begins = 0;
  uint64_t reclaim_stalls = 0;
  uint64_t memory_requests = 0;
  uint64_t dropped_requests = 0;  // too many at once: they run into their deadlines
};

struct RequestNews {
  policy::MemoryRequest request;
  std::string asker;
};

struct GuestNews {
  std::optional<Sampled<policy::GuestReading>> report;
  std::optional<Sampled<policy::VmmReading>> vmm;
  bool vmm_lost = false;    // since then something may have answered again: `vmm` is what it said
  int64_t block_bytes = 0;  // of the guest's memory blocks; 0: no news of them
  bool rebooted = false;    // seen by whichever of VMM and agent
  bool was_reset = false;   // said by the VMM
  bool resumed = false;
  std::vector<vmm::Receipt> receipts;
  std::optional<Sampled<vmm::DeviceReading>> devices;
  std::vector<vmm::DeviceReceipt> device_receipts;
  std::vector<observe::BlockReceipt> block_receipts;
  std::vector<Notice> notices;
  std::vector<policy::OomVerdict> verdicts;  // `guest` is not set
  std::vector<RequestNews> requests;
};

class GuestMailbox final : public session::SessionObserver,
                           public vmm::ActuatorObserver,
                           public vmm::DeviceObserver {
 public:
  // `soon`: a report of a guest that has eaten what is available within this time cannot wait.
  GuestMailbox(Wakeup& wakeup, Nanos soon) : wakeup_(wakeup), soon_(soon) {}

  // All news since the last call.
  [[nodiscard]] GuestNews Take();
  [[nodiscard]] MailboxCounters Counters() const;
  // A minute is over: the agent may speak again.
  void RenewRation();

  void OnIdentity(const session::AgentIdentity& identity) override;
  void OnReport(const Sampled<policy::GuestReading>& reading, bool urgent) override;
  void OnRejected(const absl::Status& why) override;
  void OnEvent(const session::GuestEvent& event) override;
  void OnVerdict(const policy::OomVerdict& verdict) override;
  void OnMemoryRequest(const policy::MemoryRequest& request, const std::string& asker) override;
  void OnBlocks(const observe::BlockReceipt& receipt) override;
  void OnSession(session::SessionState state, const absl::Status& why) override;

  void OnReading(const Sampled<policy::VmmReading>& reading) override;
  void OnReceipt(const vmm::Receipt& receipt) override;
  void OnLink(vmm::LinkState state, const absl::Status& why) override;
  void OnLifecycle(vmm::Lifecycle event) override;

  void OnDevices(const Sampled<vmm::DeviceReading>& reading) override;
  void OnDeviceReceipt(const vmm::DeviceReceipt& receipt) override;

 private:
  // Lines the agent can cause in a minute; a guest that floods the log hides the others.
  static constexpr int kAgentWords = 20;
  // Verdicts in a minute: as many as an agent keeps.
  static constexpr int kAgentVerdicts = 64;
  void TakeIdentity(const session::AgentIdentity& identity);
  void TakeEvent(const session::GuestEvent& event);
  void AddNotice(LogLevel level, std::string text);       // under mutex_
  void AddAgentNotice(LogLevel level, std::string text);  // the same, rationed

  Wakeup& wakeup_;
  const Nanos soon_;
  mutable std::mutex mutex_;
  GuestNews news_;
  MailboxCounters counters_;
  std::optional<session::AgentIdentity> identity_;
  bool rejecting_ = false;
  // What the agent may still say in the log until the loop has next refilled it.
  int agent_words_ = kAgentWords;
  int agent_verdicts_ = kAgentVerdicts;
};

}  // namespace ballast::control
