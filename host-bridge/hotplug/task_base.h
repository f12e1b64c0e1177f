// What the tasks share: numbering orders, waiting for one answer at a time, and the end.
#pragma once

#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "host-bridge/hotplug/task.h"

namespace ballast::hotplug {

class TaskBase : public Task {
 public:
  void OnReceipt(const vmm::DeviceReceipt& receipt) final {
    if (receipt.id == awaited_) receipt_ = receipt;
  }
  void OnBlocks(const observe::BlockReceipt& receipt) final {
    if (receipt.id == awaited_) blocks_ = receipt;
  }
  void Cancel() final { cancelled_ = true; }
  [[nodiscard]] MonotonicTime NextLook() const final { return next_look_; }
  [[nodiscard]] std::vector<Order> TakeOrders() final { return std::exchange(orders_, {}); }
  [[nodiscard]] const std::optional<Result>& result() const final { return result_; }

 protected:
  TaskBase(int64_t from_bytes, int64_t target_bytes, uint64_t first_id, const Patience& patience)
      : patience_(patience), from_(from_bytes), target_(target_bytes), next_id_(first_id) {}

  // Until the answer is there it need not look: what it brings is news.
  template <typename What>
  void Give(What what) {
    awaited_ = next_id_++;
    receipt_.reset();
    blocks_.reset();
    next_look_ = {std::numeric_limits<int64_t>::max()};
    if constexpr (std::is_same_v<What, observe::BlockOrder>) what.id = awaited_;
    orders_.push_back({awaited_, std::move(what)});
  }
  // Of the order that is awaited, once; its answer is awaited as before.
  void CallOffAwaited() {
    if (std::exchange(called_off_, awaited_) != awaited_) orders_.push_back({awaited_, CallOff{}});
  }
  void List() { Give(observe::BlockOrder{.action = observe::BlockAction::kList, .deadline = Seconds(5)}); }
  void LookAgain(MonotonicTime at) { next_look_ = at; }
  void Remember(const std::vector<observe::BlockRefusal>& refused) {
    refused_.insert(refused_.end(), refused.begin(), refused.end());
  }
  void End(absl::Status status, int64_t reached_bytes) {
    result_ = {std::move(status), from_, reached_bytes, target_, std::move(refused_)};
  }
  [[nodiscard]] bool IsOver() const { return result_.has_value(); }

  const Patience patience_;
  const int64_t from_;
  const int64_t target_;
  // The answer to the last order, once it has come.
  std::optional<vmm::DeviceReceipt> receipt_;
  std::optional<observe::BlockReceipt> blocks_;
  std::vector<observe::BlockRefusal> refused_;
  bool cancelled_ = false;

 private:
  uint64_t next_id_;
  uint64_t awaited_ = 0;
  uint64_t called_off_ = 0;
  std::vector<Order> orders_;
  MonotonicTime next_look_;
  std::optional<Result> result_;
};

// Of all blocks in `range`: how much is online, and how much of that could go offline again.
struct Coverage {
  int64_t present_bytes = 0;
  int64_t online_bytes = 0;
  int64_t movable_bytes = 0;
  int64_t offline_bytes = 0;
};
[[nodiscard]] Coverage CoverageOf(const observe::AddressRange& range,
                                  const std::vector<observe::BlockSpan>& spans);

[[nodiscard]] const vmm::MemoryDevice* Find(const vmm::DeviceReading& reading, const std::string& id);

}  // namespace ballast::hotplug
