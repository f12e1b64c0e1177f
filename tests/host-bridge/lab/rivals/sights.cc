#include "tests/host-bridge/lab/rivals/sights.h"

#include <string>
#include <utility>

namespace ballast::sim {

Sights::Sights(std::vector<int64_t> boot_bytes) {
  sight_.now = {Seconds(1000).count};
  sight_.host = {.total_bytes = 64 * kGiB, .available_bytes = 64 * kGiB};
  plan_.host.total_bytes = 64 * kGiB;
  for (const int64_t boot : boot_bytes) {
    GuestPlan guest;
    guest.limits.name = "g" + std::to_string(plan_.guests.size());
    guest.boot_bytes = boot;
    plan_.guests.push_back(std::move(guest));
  }
  for (size_t i = 0; i < plan_.guests.size(); ++i) {
    sight_.guests.emplace_back();
    sight_.guests.back().plan = &plan_.guests[i];
    Show(i, 0);
  }
}

void Sights::Show(size_t guest, int64_t used_bytes) {
  GuestSight& sight = sight_.guests[guest];
  sight.total_bytes = sight.plan->boot_bytes - sight.balloon_bytes;
  sight.available_bytes = sight.free_bytes = sight.total_bytes - used_bytes;
  sight.stats_at = sight_.now;
}

void Sights::Pass(Nanos span) {
  sight_.now = sight_.now + span;
  for (GuestSight& guest : sight_.guests) guest.stats_at = sight_.now;
}

std::vector<Command> Sights::Look(Controller& controller) {
  std::vector<Command> commands;
  controller.Look(sight_, commands);
  for (const Command& command : commands) sight_.guests[command.guest].target_bytes = command.balloon_bytes;
  return commands;
}

std::vector<int64_t> Sights::Obey(Controller& controller) {
  for (const Command& command : Look(controller)) {
    GuestSight& guest = sight_.guests[command.guest];
    const int64_t moved = command.balloon_bytes - guest.balloon_bytes;
    guest.balloon_bytes = command.balloon_bytes;
    guest.total_bytes -= moved;
    guest.available_bytes -= moved;
    guest.free_bytes -= moved;
  }
  return sizes();
}

std::vector<int64_t> Sights::sizes() const {
  std::vector<int64_t> sizes;
  for (const GuestSight& guest : sight_.guests) sizes.push_back(guest.plan->boot_bytes - guest.balloon_bytes);
  return sizes;
}

}  // namespace ballast::sim
