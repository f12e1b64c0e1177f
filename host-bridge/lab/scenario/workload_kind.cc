#include "host-bridge/lab/scenario/workload_kind.h"
#include "host-bridge/lab/scenario/workloads/build_farm.h"
#include "host-bridge/lab/scenario/workloads/burst.h"
#include "host-bridge/lab/scenario/workloads/database.h"
#include "host-bridge/lab/scenario/workloads/idle_heavy.h"
#include "host-bridge/lab/scenario/workloads/overload.h"
#include "host-bridge/lab/scenario/workloads/sandbox.h"
#include "host-bridge/lab/scenario/workloads/sawtooth.h"
#include "host-bridge/lab/scenario/workloads/serverless.h"
#include "host-bridge/lab/scenario/workloads/steady.h"

namespace ballast::sim {

const std::vector<WorkloadKind>& WorkloadKinds() {
  static const auto& kinds = *new std::vector<WorkloadKind>{
      IdleHeavyKind(), SteadyKind(),     SandboxKind(), BuildFarmKind(), DatabaseKind(),
      OverloadKind(),  ServerlessKind(), BurstKind(),   SawtoothKind(),  PeaksKind(),
  };
  return kinds;
}

}  // namespace ballast::sim
