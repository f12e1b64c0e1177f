#include "host-bridge/lab/world/static_sizes.h"

#include <memory>

namespace ballast::sim {
namespace {

class Nobody final : public Controller {
 public:
  [[nodiscard]] Nanos period() const override { return Seconds(24 * 3'600); }
  void Look(const WorldSight&, std::vector<Command>&) override {}
};

}  // namespace

ControllerKind StaticSizes() {
  return {.name = "static",
          .source = "no controller: what most hosts do today",
          .device = {.deflate_on_oom = false, .free_page_reporting = false},
          .make = [](const WorldPlan&) { return std::make_unique<Nobody>(); }};
}

}  // namespace ballast::sim
