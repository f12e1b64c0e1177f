// What is known of one VM through its monitor: read after each connect, at events, after commands and at a
// steady pace, and told to the observers.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "common/base/maybe.h"
#include "host-bridge/vmm/qmp/machine_reader.h"
#include "host-bridge/vmm/qmp/resident_reader.h"
#include "host-bridge/vmm/qmp/vm_context.h"

namespace ballast::vmm::qmp {

// Use through std::make_shared.
class MachineWatch : public std::enable_shared_from_this<MachineWatch> {
 public:
  using Then = std::function<void(const absl::Status&)>;

  // `on_ready`: the first reading of a connection has been told; from now on it is up to date.
  MachineWatch(std::shared_ptr<VmContext> vm, std::function<void()> on_ready);

  void Begin();  // the connection is up
  // It is gone, or could not be made.
  void End(const absl::Status& why);
  void Stop() { poll_.cancel(); }

  [[nodiscard]] bool IsReady() const { return link_ == LinkState::kReady; }
  // UNAVAILABLE, with the reason, while it is not.
  [[nodiscard]] absl::Status WhyNotReady() const;
  [[nodiscard]] const MachineFacts& facts() const { return facts_; }       // while ready
  [[nodiscard]] const DeviceReading& devices() const { return devices_; }  // the same

  // A reading that begins now, whatever else is under way; then `then`. Where it fails the connection is
  // given up.
  void ReadNow(Depth depth, Nanos timeout, Then then);
  // Looks often for a while: something has been asked of the VM.
  void FollowUp();
  // For what is told from now on; kept when the connection is lost.
  void SetDimmUnit(int64_t bytes);
  // QEMU has confirmed a new DIMM: its numbers count from more from now on.
  void AddToBase(int64_t bytes);

  void OnEvent(const Event& event);

 private:
  // What had happened when a reading began; what has happened since is in some of its answers only.
  struct Began {
    uint64_t epoch = 0;
    uint64_t balloon_changes = 0;
  };
  // One that ReadNow began.
  struct Urgent {
    Depth depth = Depth::kNumbers;
    Nanos timeout;
    Then then;
    Began began;
  };

  void Read(Depth depth);
  void ReadAgain(Depth depth);  // once the present one is there
  void OnRead(const Began& began, const absl::StatusOr<MachineFacts>& facts);
  void OnReadNow(const Urgent& reading, const absl::StatusOr<MachineFacts>& facts);
  [[nodiscard]] Began Now() const { return {epoch_, balloon_changes_}; }
  void MakeDevices();
  [[nodiscard]] bool Accept(const MachineFacts& facts, const Began& began);
  void ShowReading();
  void ShowDevices(bool backends_read);
  void SchedulePoll();
  void SetRunning(bool running);
  void OnGuestAnswer(const GuestAnswer& answer);
  void OnBalloonChange(GuestVisibleBytes actual);
  void OnReset(const Event& event);
  void SetLink(LinkState state, const absl::Status& why);

  const std::shared_ptr<VmContext> vm_;
  const std::function<void()> on_ready_;
  boost::asio::steady_timer poll_;
  size_t follow_up_;
  LinkState link_ = LinkState::kConnecting;
  absl::Status why_;
  MachineFacts facts_;                                   // valid while the link is ready
  std::shared_ptr<std::optional<MemoryLimits>> limits_;  // of this connection; shared with the answer
  int64_t dimm_unit_bytes_ = kLeastDimmUnit;
  DeviceReading devices_;               // made of the three
  std::optional<DeviceReading> shown_;  // as the observer last had it, since the connect
  ResidentReader resident_reader_;
  Maybe<int64_t> resident_bytes_ = {};
  bool reading_ = false;
  std::optional<Depth> read_again_;
  int inconsistent_ = 0;
  // Counts the devices that have gone, and resets: answers from before and after one do not add up.
  uint64_t epoch_ = 0;
  uint64_t balloon_changes_ = 0;  // counts the events that were believed
  std::optional<MonotonicTime> base_moved_at_;
  std::optional<int64_t> last_reset_microseconds_;
  // What QEMU still says after a reset, until the driver of the new boot writes its own number; a driver that
  // finds nothing to do never does. The balloon of a guest that starts anew is empty.
  std::optional<BalloonBytes> stale_balloon_;
  // There was a reset, and nothing was read since: whatever QEMU says first is what is stale. A balloon on
  // its way stands elsewhere than where it was last seen.
  bool stale_unread_ = false;
  std::optional<MonotonicTime> reset_at_;
};

}  // namespace ballast::vmm::qmp
