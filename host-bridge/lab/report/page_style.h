// The page's style sheet and its only script.
#pragma once

#include <string_view>

namespace ballast::sim {

// Colours for light and dark surroundings, each at least 3 : 1 against its background; lines differ in dashes
// too.
[[nodiscard]] std::string_view PageStyle();

// Shows the values under the pointer. Holds no character that would have to be escaped.
[[nodiscard]] std::string_view PageScript();

}  // namespace ballast::sim
