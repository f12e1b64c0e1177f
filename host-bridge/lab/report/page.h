// A report as one HTML page that needs nothing else: no files, no network, and no script except to read
// values off the charts.
#pragma once

#include <string>

#include "host-bridge/lab/report/report.h"

namespace ballast::sim {

// Well-formed XML as well as HTML. All names, titles and the command line are escaped.
[[nodiscard]] std::string PageOf(const Report& report);

}  // namespace ballast::sim
