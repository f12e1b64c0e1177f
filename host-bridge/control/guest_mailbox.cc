#include "host-bridge/control/guest_mailbox.h"

#include <utility>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "host-bridge/policy/arithmetic.h"

namespace ballast::control {
namespace {

// A guest that reboots in a loop, or a VMM that flaps, must not fill memory while the control thread is busy.
constexpr size_t kMaxNotices = 32;
constexpr size_t kMaxReceipts = 32;
constexpr size_t kMaxRequests = 8;

}  // namespace

GuestNews GuestMailbox::Take() {
  std::lock_guard lock(mutex_);
  return std::exchange(news_, GuestNews{});
}

MailboxCounters GuestMailbox::Counters() const {
  std::lock_guard lock(mutex_);
  return counters_;
}

void GuestMailbox::AddNotice(LogLevel level, std::string text) {
  if (news_.notices.size() >= kMaxNotices) {
    ++counters_.dropped_notices;
    return;
  }
  news_.notices.push_back({level, std::move(text)});
}

void GuestMailbox::AddAgentNotice(LogLevel level, std::string text) {
  if (agent_words_ == 0) {
    ++counters_.dropped_notices;
    return;
  }
  if (--agent_words_ == 0) text += " (further lines from this agent are left out for a minute)";
  AddNotice(level, std::move(text));
}

void GuestMailbox::RenewRation() {
  std::lock_guard lock(mutex_);
  agent_words_ = kAgentWords;
  agent_verdicts_ = kAgentVerdicts;
}

void GuestMailbox::OnIdentity(const session::AgentIdentity& identity) {
  TakeIdentity(identity);
  wakeup_.Ring();
}

void GuestMailbox::TakeIdentity(const session::AgentIdentity& identity) {
  std::lock_guard lock(mutex_);
  if (identity_ && identity == *identity_) return AddAgentNotice(LogLevel::kInfo, "agent: connected again");
  const bool rebooted = identity_ && identity_->boot_id != identity.boot_id;
  const bool restarted = identity_ && !rebooted;
  news_.rebooted |= rebooted;
  if (rebooted) news_.report.reset();
  news_.block_bytes = identity.block_bytes;
  std::string text = StrCat("agent: ",
                            rebooted    ? "the guest rebooted; "
                            : restarted ? "restarted; "
                                        : "",
                            "version ", identity.agent_version, ", kernel ", identity.kernel_release);
  if (!identity.lacks.empty()) text += StrCat(", without ", identity.lacks);
  AddAgentNotice(LogLevel::kInfo, std::move(text));
  identity_ = identity;
}

void GuestMailbox::OnReport(const Sampled<policy::GuestReading>& reading, bool urgent) {
  {
    std::lock_guard lock(mutex_);
    news_.report = reading;
    ++counters_.reports;
    rejecting_ = false;
  }
  const policy::GuestReading& value = reading.value;
  if (urgent || policy::EatenWithin(value.available_bytes, value.consumption_bytes_per_second, soon_))
    wakeup_.Ring();
}

void GuestMailbox::OnRejected(const absl::Status& why) {
  std::lock_guard lock(mutex_);
  ++counters_.rejected_reports;
  // A guest that lies goes on lying: the first of a row is news, the others are a number.
  if (!std::exchange(rejecting_, true)) {
    AddAgentNotice(LogLevel::kWarning, StrCat("agent: report not believed: ", MessageOf(why)));
  }
}

void GuestMailbox::OnEvent(const session::GuestEvent& event) {
  TakeEvent(event);
  if (event.kind == session::GuestEvent::Kind::kBlocksChanged) wakeup_.Ring();  // a task may wait for that
}

void GuestMailbox::TakeEvent(const session::GuestEvent& event) {
  using Kind = session::GuestEvent::Kind;
  std::lock_guard lock(mutex_);
  ++counters_.events;
  switch (event.kind) {
    case Kind::kOomKill:
      return AddAgentNotice(LogLevel::kWarning,
                            StrCat("agent: ", event.amount, " process(es) OOM-killed in the guest"));
    case Kind::kBalloonShrank:
      return AddAgentNotice(LogLevel::kDebug,
                            StrCat("agent: the balloon let go of ", FormatSize(event.amount)));
    case Kind::kPressureTrigger:
      return AddAgentNotice(LogLevel::kDebug, "agent: the kernel's pressure trigger fired");
    case Kind::kOomBegins:
      ++counters_.oom_begins;
      return AddAgentNotice(LogLevel::kDebug, event.amount != 0
                                                  ? "agent: the kernel looks for a victim in a cgroup"
                                                  : "agent: the kernel looks for a victim");
    case Kind::kReclaimStall:
      ++counters_.reclaim_stalls;
      return AddAgentNotice(LogLevel::kDebug,
                            StrCat("agent: a task waited ", event.amount / 1'000, " ms for memory"));
    case Kind::kBlocksChanged:
      return AddAgentNotice(LogLevel::kDebug, "agent: memory blocks came, went or changed their state");
  }
}

void GuestMailbox::OnVerdict(const policy::OomVerdict& verdict) {
  {
    std::lock_guard lock(mutex_);
    ++counters_.events;
    counters_.oom_kills[static_cast<size_t>(verdict.scope)] += static_cast<uint64_t>(verdict.kills);
    if (agent_verdicts_ == 0) {
      ++counters_.dropped_verdicts;
      return;
    }
    --agent_verdicts_;
    news_.verdicts.push_back(verdict);
  }
  wakeup_.Ring();
}

void GuestMailbox::OnMemoryRequest(const policy::MemoryRequest& request, const std::string& asker) {
  {
    std::lock_guard lock(mutex_);
    ++counters_.events;
    ++counters_.memory_requests;
    if (news_.requests.size() >= kMaxRequests) {
      ++counters_.dropped_requests;
      return;
    }
    news_.requests.push_back({request, asker});
  }
  wakeup_.Ring();
}

void GuestMailbox::OnBlocks(const observe::BlockReceipt& receipt) {
  {
    std::lock_guard lock(mutex_);
    if (news_.block_receipts.size() < kMaxReceipts) news_.block_receipts.push_back(receipt);
  }
  wakeup_.Ring();
}

void GuestMailbox::OnSession(session::SessionState state, const absl::Status& why) {
  std::lock_guard lock(mutex_);
  if (state == session::SessionState::kFailed) {
    AddAgentNotice(LogLevel::kWarning, StrCat("agent: ", MessageOf(why), "; trying again"));
  }
}

void GuestMailbox::OnReading(const Sampled<policy::VmmReading>& reading) {
  {
    std::lock_guard lock(mutex_);
    news_.vmm = reading;
  }
  // Readings are few (an event a second, a poll every five), and a receiver may be waiting for what arrived.
  wakeup_.Ring();
}

void GuestMailbox::OnReceipt(const vmm::Receipt& receipt) {
  {
    std::lock_guard lock(mutex_);
    if (news_.receipts.size() < kMaxReceipts) news_.receipts.push_back(receipt);
  }
  wakeup_.Ring();
}

void GuestMailbox::OnLink(vmm::LinkState state, const absl::Status& why) {
  {
    std::lock_guard lock(mutex_);
    // What was read through a link that is gone describes the past.
    if (state != vmm::LinkState::kReady) {
      news_.vmm_lost = true;
      news_.vmm.reset();
      news_.devices.reset();
    }
    if (state == vmm::LinkState::kFailed) {
      AddNotice(LogLevel::kWarning, StrCat("vmm: unmanaged: ", MessageOf(why), "; trying again"));
    } else if (state == vmm::LinkState::kReady) {
      AddNotice(LogLevel::kInfo, "vmm: connected");
    }
  }
  wakeup_.Ring();
}

void GuestMailbox::OnLifecycle(vmm::Lifecycle event) {
  {
    std::lock_guard lock(mutex_);
    switch (event) {
      case vmm::Lifecycle::kReset:
        news_.rebooted = true;
        news_.was_reset = true;
        news_.report.reset();
        AddNotice(LogLevel::kInfo, "vmm: the guest was reset");
        break;
      case vmm::Lifecycle::kPaused:
        AddNotice(LogLevel::kInfo, "vmm: paused; decisions are frozen");
        break;
      case vmm::Lifecycle::kResumed:
        news_.resumed = true;
        AddNotice(LogLevel::kInfo, "vmm: running again");
        break;
      case vmm::Lifecycle::kShutdown:
        AddNotice(LogLevel::kInfo, "vmm: the guest shut down");
        break;
    }
  }
  wakeup_.Ring();
}

void GuestMailbox::OnDevices(const Sampled<vmm::DeviceReading>& reading) {
  {
    std::lock_guard lock(mutex_);
    news_.devices = reading;
  }
  wakeup_.Ring();
}

void GuestMailbox::OnDeviceReceipt(const vmm::DeviceReceipt& receipt) {
  {
    std::lock_guard lock(mutex_);
    if (news_.device_receipts.size() < kMaxReceipts) news_.device_receipts.push_back(receipt);
  }
  wakeup_.Ring();
}

}  // namespace ballast::control
