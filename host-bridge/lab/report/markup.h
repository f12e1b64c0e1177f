// Pieces of HTML and SVG, every one well-formed XML.
#pragma once

#include <string>
#include <string_view>

namespace ballast::sim {

// For text and for attributes in double quotes. Control characters, which no page may hold, become "?".
[[nodiscard]] std::string Escaped(std::string_view text);

// <name attributes>content</name>; `content` is markup already, and `attributes` too, as in: class="a"
// id="b".
[[nodiscard]] std::string Element(std::string_view name, std::string_view attributes,
                                  std::string_view content);

// A coordinate with one decimal; what is not finite becomes 0.
[[nodiscard]] std::string Coordinate(double value);

}  // namespace ballast::sim
