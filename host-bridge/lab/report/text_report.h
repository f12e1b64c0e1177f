// A report for the terminal: at most 120 columns where names are not overlong.
#pragma once

#include <string>
#include <string_view>

#include "host-bridge/lab/report/report.h"

namespace ballast::sim {

[[nodiscard]] std::string TextOf(const Report& report);

// Columns aligned, names to the left and numbers to the right; a blank line follows.
[[nodiscard]] std::string TextOf(const Table& table);

// `text` in lines of at most 120 characters, broken at blanks, each beginning with `indent`, all but
// the first with `hanging` too.
[[nodiscard]] std::string Wrapped(std::string_view text, std::string_view indent = "",
                                  std::string_view hanging = "");

}  // namespace ballast::sim
