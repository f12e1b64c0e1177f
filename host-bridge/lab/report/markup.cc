#include "host-bridge/lab/report/markup.h"

#include <cmath>

#include "absl/strings/str_format.h"
#include "common/base/text.h"

namespace ballast::sim {

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default: {
        const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
        escaped += control || c == 0x7f ? '?' : c;
      }
    }
  }
  return escaped;
}

std::string Element(std::string_view name, std::string_view attributes, std::string_view content) {
  return StrCat("<", name, attributes.empty() ? "" : " ", attributes, ">", content, "</", name, ">");
}

std::string Coordinate(double value) {
  if (!std::isfinite(value)) return "0";
  std::string text = absl::StrFormat("%.1f", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

}  // namespace ballast::sim
