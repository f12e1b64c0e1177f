#include "guest-agent/service/convert_event.h"

namespace ballast::agent {
namespace {

void Fill(const OomKills& from, guest::v1::Event& to) {
  to.mutable_oom_kill()->set_kills(from.kills);
  to.mutable_oom_kill()->set_total(from.total);
}

void Fill(const PressureTriggered& from, guest::v1::Event& to) {
  to.mutable_pressure_trigger()->set_threshold_us(from.threshold_us);
  to.mutable_pressure_trigger()->set_window_us(from.window_us);
}

void Fill(const BalloonShrank& from, guest::v1::Event& to) {
  to.mutable_balloon_shrank()->set_bytes(from.bytes);
}

}  // namespace

void FillEvent(const EventFacts& facts, guest::v1::Event& event) {
  event.set_monotonic_ns(facts.at.ns);
  std::visit([&event](const auto& what) { Fill(what, event); }, facts.what);
}

}  // namespace ballast::agent
