// Passes a VM's results to an observer until it is shut. After Shut() returns no call runs or
// follows.
#pragma once

#include <mutex>
#include <utility>

namespace ballast::vmm {

template <typename Observer>
class ObserverGate {
 public:
  // `observer` may be nullptr: nobody listens.
  explicit ObserverGate(Observer* observer) : observer_(observer) {}
  ObserverGate(const ObserverGate&) = delete;
  ObserverGate& operator=(const ObserverGate&) = delete;

  // Waits for a call that is running, unless this is that call's own thread. So whoever shuts the gate must
  // not hold a lock that the observer's methods take.
  void Shut() {
    const std::lock_guard lock(mutex_);
    observer_ = nullptr;
  }

  template <typename... Parameters, typename... Arguments>
  void Call(void (Observer::*method)(Parameters...), Arguments&&... arguments) {
    const std::lock_guard lock(mutex_);
    if (observer_ != nullptr) (observer_->*method)(std::forward<Arguments>(arguments)...);
  }

 private:
  std::recursive_mutex mutex_;  // recursive: an observer may destroy its actuator from inside a call
  Observer* observer_;
};

}  // namespace ballast::vmm
