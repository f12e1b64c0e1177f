// What a scenario file says, as values. Checked by ReadScenario; nothing else makes one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/base/units.h"
#include "host-bridge/lab/model/device.h"
#include "host-bridge/lab/scenario/planned_world.h"
#include "host-bridge/lab/scenario/random.h"
#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/policy/policy_config.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::sim {

// What the file promises of Ballast in every world made from it; `ballast-lab simulate` and a test hold it to
// that.
struct Expectation {
  std::string measure;  // one of kMeasures, as "guest_oom_kills"
  enum class Relation : uint8_t { kAtMost, kAtLeast } relation = Relation::kAtMost;
  double limit = 0;
};

// Guests that differ in nothing but what they draw.
struct GuestGroup {
  struct Event {
    int32_t index = 0;  // of the guest, from 1; 0: every guest of the group
    GuestEvent event;
  };

  std::string name;
  int32_t count = 1;           // 1..10,000
  int64_t boot_bytes = kGiB;   // 128 MiB..1 TiB
  policy::GuestLimits limits;  // without a name
  int64_t zram_bytes = 0;
  int32_t swaps_early_permyriad = 0;
  DeviceSpec device;
  // When they boot: spread evenly over this range, however many there are.
  Between<Nanos> starts;
  WorkloadMaker workload;
  std::vector<Event> events;
};

struct ScenarioSpec {
  std::string name;   // the file's own, without folder and ending
  std::string title;  // one sentence
  Nanos length;       // 1 s..400 days
  bool density = false;
  HostPlan host;
  policy::PolicyConfig policy;
  std::vector<GuestGroup> groups;  // at least one
  std::vector<Expectation> expectations;
};

}  // namespace ballast::sim
