// Who carries out the system calls of an act that may block for long or spin in the kernel: never a thread of
// the agent, whose reports must go on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "guest-agent/act/act_types.h"

namespace ballast::agent {

enum class OrderKind : char {
  kWrite = 'w',     // text to path, in one write
  kRead = 'r',      // at most 256 bytes of path
  kSwapOff = 'o',   // path
  kSwapOn = 'n',    // path; text: its priority, empty for the kernel's choice
  kMakeSwap = 'm',  // a swap header onto path, a block device; text: the page size in bytes
};

struct Order {
  OrderKind kind = OrderKind::kWrite;
  std::string path;
  std::string text;
};

// How an order ended. `stop`: the watch stopped it; the helper is gone then.
struct Outcome {
  std::optional<Stop> stop;
  int error = 0;     // an errno; 0: done
  std::string text;  // what was read
};

// Called every few milliseconds while an order is under way; a value stops it.
using StopWatch = std::function<std::optional<Stop>()>;

class Helper {
 public:
  virtual ~Helper() = default;
  // Errors: UNAVAILABLE when the helper has died.
  [[nodiscard]] virtual absl::StatusOr<Outcome> Do(const Order& order, const StopWatch& watch) = 0;
};

class HelperStarter {
 public:
  virtual ~HelperStarter() = default;
  // One for each act. Errors: RESOURCE_EXHAUSTED while one that was killed is still inside the kernel.
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<Helper>> Start() = 0;
};

}  // namespace ballast::agent
