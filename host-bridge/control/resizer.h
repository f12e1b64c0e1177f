// Carries an operator's resize of one guest out, step by step, and tells its caller how it goes.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "host-bridge/control/plug_desk.h"
#include "host-bridge/control/resize.h"
#include "host-bridge/policy/resize.h"

namespace ballast::control {

class Resizer {
 public:
  // How the loop, which remembers what was commanded, carries a step out.
  struct Hands {
    std::function<void(BalloonBytes target)> set_balloon;
    std::function<uint64_t(int64_t requested_bytes)> set_plugged;  // the desk's ticket
  };

  [[nodiscard]] bool IsBusy() const { return ticket_ != nullptr; }
  // Tells the plan, and unless it is a dry run or nothing is to be done, begins with it.
  void Begin(std::shared_ptr<ResizeTicket> ticket, policy::ResizePlan plan, MonotonicTime now);
  // The next step once the one before is done. `ended`: a change of plugged memory that has ended just now,
  // whoever wanted it.
  void Step(const policy::GuestFacts& facts, const PlugDesk& desk,
            const std::optional<PlugDesk::Ended>& ended, const Hands& hands, MonotonicTime now);
  // Ends it where it stands; what was reached is told.
  void End(const absl::Status& why, const policy::GuestFacts& facts);

 private:
  void BeginStep(const Hands& hands, MonotonicTime now);
  // Whether the balloon's step is over, and how.
  [[nodiscard]] std::optional<absl::Status> BalloonStep(const policy::GuestFacts& facts, MonotonicTime now);
  // Whether the change of plugged memory is over, and how.
  [[nodiscard]] std::optional<absl::Status> PlugStep(const PlugDesk& desk,
                                                     const std::optional<PlugDesk::Ended>& ended);
  void Finish(absl::Status status, const policy::GuestFacts& facts);

  std::shared_ptr<ResizeTicket> ticket_;
  policy::ResizePlan plan_;
  size_t step_ = 0;
  bool begun_ = false;  // the step
  uint64_t ticket_of_plug_ = 0;
  MonotonicTime moved_at_;  // the balloon, last
  int64_t last_actual_ = 0;
  int64_t told_size_ = 0;
  std::vector<observe::BlockRefusal> refused_;
};

}  // namespace ballast::control
