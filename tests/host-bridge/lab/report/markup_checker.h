// A small judge of markup, for tests: whether it is well-formed, as far as the page makes use of XML.
#pragma once

#include <string>
#include <string_view>

namespace ballast::sim {

// Empty when every element is closed in its order, every attribute quoted and given once, every "&" a known
// entity; otherwise what is wrong and where. A leading "<!DOCTYPE html>" is passed over.
[[nodiscard]] std::string FaultIn(std::string_view markup);

}  // namespace ballast::sim
