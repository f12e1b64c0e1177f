// A kind of workload a scenario can name: its parameters and how a guest's load is made from them.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/config/ini.h"
#include "host-bridge/config/config_keys.h"
#include "host-bridge/lab/model/workload.h"
#include "host-bridge/lab/scenario/random.h"

namespace ballast::sim {

// The load of one guest with `boot_bytes` of memory, drawn from `random`.
using WorkloadMaker = std::function<std::unique_ptr<Workload>(int64_t boot_bytes, const Random& random)>;

struct WorkloadKind {
  std::string_view name;
  // Each parameter's key, and the text of its default.
  std::vector<std::pair<std::string_view, std::string>> parameters;
  // Reads the lines whose keys are parameters and leaves the others; reports each fault with its line.
  std::function<WorkloadMaker(const std::vector<config::IniLine>&,
                              const std::function<void(const config::IniLine&, std::string)>& fault)>
      read;
};

// The kind whose parameters are the struct S, with its defaults.
template <typename S>
[[nodiscard]] WorkloadKind KindOf(std::string_view name, std::vector<config::Key<S>> keys,
                                  std::unique_ptr<Workload> (*make)(const S&, int64_t, const Random&)) {
  WorkloadKind kind{.name = name, .parameters = {}, .read = nullptr};
  for (const auto& key : keys) kind.parameters.emplace_back(key.name, key.write(S{}));
  kind.read = [keys = std::move(keys), make](const auto& lines, const auto& fault) -> WorkloadMaker {
    S parameters;
    for (const config::IniLine& line : lines) {
      for (const auto& key : keys) {
        if (key.name != line.key) continue;
        const absl::Status status = key.read(line.value, parameters);
        if (!status.ok()) fault(line, std::string(status.message()));
      }
    }
    return [parameters, make](int64_t boot_bytes, const Random& random) {
      return make(parameters, boot_bytes, random);
    };
  };
  return kind;
}

// A workload made of cycles: each Refill() appends at least one segment.
class CyclicWorkload : public Workload {
 public:
  Segment Next() final {
    if (waiting_.empty()) Refill();
    Segment next = waiting_.front();
    waiting_.pop_front();
    return next;
  }

 protected:
  virtual void Refill() = 0;
  void Append(const Segment& segment) { waiting_.push_back(segment); }

 private:
  std::deque<Segment> waiting_;
};

// `permyriad` of `bytes`. Sizes are at most 2^40, so the product fits.
[[nodiscard]] constexpr int64_t ShareOf(int64_t bytes, int32_t permyriad) {
  return bytes * permyriad / 10'000;
}

// All kinds, in the order of docs/scenarios.md.
[[nodiscard]] const std::vector<WorkloadKind>& WorkloadKinds();

}  // namespace ballast::sim
