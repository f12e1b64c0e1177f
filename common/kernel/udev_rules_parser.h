// udev's rule files, as far as it has to be known whether they bring memory blocks online.
#pragma once

#include <string_view>

namespace ballast::kernel {

// True when a rule of this file writes `state` or `online` of a memory block. A rule that names another
// subsystem does not count; one that names none does where the file speaks of SUBSYSTEM "memory" at all, as
// files do that jump over their rules for all others.
[[nodiscard]] bool BringsMemoryOnline(std::string_view rules);

}  // namespace ballast::kernel
