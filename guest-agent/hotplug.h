// What the agent does about memory that is plugged while the guest runs, put together from its parts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/os/clock.h"
#include "common/os/file_reader.h"
#include "guest-agent/act/helper_process.h"
#include "guest-agent/agent_config.h"
#include "guest-agent/blocks/block_acts.h"
#include "guest-agent/blocks/block_keeper.h"
#include "guest-agent/blocks/kernel_onlining.h"
#include "guest-agent/service/sample_loop.h"
#include "guest-agent/service/watch_facts.h"

namespace ballast::agent {

class Hotplug {
 public:
  // Takes over what the kernel does with plugged memory, unless the configuration says "off", and tells
  // `identity` of all that was found. Without memory blocks nothing is done: the reason is among the
  // capabilities. `clock` must outlive it.
  Hotplug(const AgentConfig& config, const Clock& clock, std::function<void()> on_thread_start,
          AgentIdentity& identity);

  // Null without memory blocks.
  [[nodiscard]] BlockActs* Acts() { return acts_ ? &*acts_ : nullptr; }
  [[nodiscard]] std::optional<BlockFacts> Facts() const;
  // From here on blocks come online, and watchers of `loop` hear of it.
  [[nodiscard]] absl::Status Start(SampleLoop& loop);
  // The kernel does again what it did before.
  void Stop();

 private:
  const Clock& clock_;
  KernelOnlining kernel_;
  // Two, so that a helper that is stuck in an offlining keeps nothing from coming online.
  HelperProcessStarter online_helpers_;
  HelperProcessStarter call_helpers_;
  std::unique_ptr<BlockKeeper> keeper_;
  std::optional<BlockActs> acts_;
  bool memmap_on_memory_ = false;
};

}  // namespace ballast::agent
