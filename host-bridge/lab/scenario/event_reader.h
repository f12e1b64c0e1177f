// An [event NAME]: something that happens to guests or to the host, once or again and again.
#pragma once

#include "common/config/ini.h"
#include "host-bridge/lab/scenario/scenario_spec.h"
#include "host-bridge/lab/scenario/section_reader.h"

namespace ballast::sim {

// Adds the event to the guests or the host of `spec`, whose length and guests are known by now.
void ReadEvent(const config::IniSection& section, ScenarioSpec& spec, Faults& faults);

}  // namespace ballast::sim
