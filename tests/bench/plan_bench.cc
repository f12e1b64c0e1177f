#include "tests/bench/plan_bench.h"

#include <chrono>
#include <string>

#include "absl/strings/str_format.h"
#include "common/base/units.h"
#include "host-bridge/hotplug/unplug_plan.h"

namespace ballast::bench {
namespace {

constexpr int kModules = 256;
constexpr int kPlans = 1000;
constexpr double kGoalUs = 5000;  // far below what a guest takes to offline one block

// DIMMs of 128 MiB to 1 GiB, two thirds of which the guest can offline.
std::vector<hotplug::Module> Modules() {
  std::vector<hotplug::Module> modules;
  for (int i = 0; i < kModules; ++i) {
    modules.push_back(
        {"ballast-dimm-" + std::to_string(i), (i * 5 % 8 + 1) * 128 * kMiB, i % 3 != 0, 4 * kGiB + i * kGiB});
  }
  return modules;
}

double PlanMicroseconds(const std::vector<hotplug::Module>& modules, int64_t wanted_bytes, int64_t& freed) {
  const auto began = std::chrono::steady_clock::now();
  const auto plan = hotplug::PlanUnplug(modules, wanted_bytes);
  const auto ended = std::chrono::steady_clock::now();
  if (plan) freed += plan->chosen.bytes;
  return std::chrono::duration<double, std::micro>(ended - began).count();
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureUnplugPlan() {
  const std::vector<hotplug::Module> modules = Modules();
  int64_t wanted = 0;
  int64_t freed = 0;
  std::vector<double> times;
  for (int i = 0; i < kPlans; ++i) {
    // Every amount in turn; one module short of everything is the longest way.
    const int64_t amount = (i % 1100 + 1) * 128 * kMiB;
    wanted += amount;
    times.push_back(PlanMicroseconds(modules, amount, freed));
  }
  if (freed != wanted) return absl::InternalError("a plan missed a sum that is there");
  const double p99 = Percentile(times, 0.99);
  return std::vector<Figure>{
      {"unplug_plan_256_dimms_us", p99, "us", "<= 5000", p99 <= kGoalUs, "",
       absl::StrFormat("p99 of %d plans over %d DIMMs of 128 MiB to 1 GiB, p50 %.0f; every sum was exact",
                       kPlans, kModules, Percentile(times, 0.5))}};
}

}  // namespace ballast::bench
