// The loop with everything real but the edges: a clock that stands still, an actuator and a link that only
// remember.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/units.h"
#include "host-bridge/control/control_loop.h"

namespace ballast::control {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime Now() const override { return now; }
  MonotonicTime now{Seconds(1000).count};
};

class RememberingActuator final : public vmm::Actuator {
 public:
  void Start() override {}
  void SetBalloon(uint64_t id, BalloonBytes target) override { commands.emplace_back(id, target.count); }
  std::vector<std::pair<uint64_t, int64_t>> commands;
};

class RememberingLink final : public session::GuestLink {
 public:
  void Hold() override { calls.push_back("hold"); }
  void Release() override { calls.push_back("release"); }
  void Renew() override { calls.push_back("renew"); }
  void Answer(const session::MemoryAnswer& answer) override { answers.push_back(answer); }
  void Order(const observe::BlockOrder& order) override { orders.push_back(order); }
  void CallOff(uint64_t order) override { calls.push_back("call off " + std::to_string(order)); }
  std::vector<observe::BlockOrder> orders;
  std::vector<session::MemoryAnswer> answers;
  std::vector<std::string> calls;
};

// A 1 GiB guest whose balloon holds 768 MiB, on a host with plenty.
class LoopTest : public ::testing::Test {
 protected:
  void Manage(policy::Mode mode = policy::Mode::kFull, session::GuestLink* link = nullptr) {
    policy::GuestLimits limits;
    limits.name = "web";
    limits.mode = mode;
    loop_.emplace(
        settings_, std::vector<ManagedGuest>{{limits, &mailbox_, &actuator_, link}},
        [this] {
          return Sampled<policy::HostReading>{{16 * kGiB, 8 * kGiB, 0, 0}, clock_.now};
        },
        clock_, wakeup_, [this](LogLevel, const std::string& line) { lines_.push_back(line); });
  }
  void VmmSays(int64_t balloon, bool running = true) {
    mailbox_.OnReading({{kGiB, BalloonBytes{balloon}, running}, clock_.now});
  }
  void GuestSays(int64_t available) {
    policy::GuestReading reading;
    reading.total_bytes = 200 * kMiB;
    reading.available_bytes = available;
    reading.free_bytes = available;
    reading.pressure_onset = clock_.now - Milliseconds(2);
    mailbox_.OnReport({reading, clock_.now}, true);
  }

  LoopSettings settings_;
  ManualClock clock_;
  Wakeup wakeup_;
  GuestMailbox mailbox_{wakeup_, Seconds(3)};
  RememberingActuator actuator_;
  std::vector<std::string> lines_;
  std::optional<ControlLoop> loop_;
};

}  // namespace ballast::control
