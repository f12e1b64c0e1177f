#include "tests/host-bridge/lab/report/markup_checker.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "common/base/text.h"

namespace ballast::sim {
namespace {

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == ':';
}

std::string_view TakeName(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), IsNameChar);
  const std::string_view name = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(name.size());
  return name;
}

std::string FaultInText(std::string_view text) {
  constexpr std::array<std::string_view, 5> kEntities = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  for (size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
    const bool known = std::any_of(kEntities.begin(), kEntities.end(), [&](std::string_view entity) {
      return text.substr(at).starts_with(entity);
    });
    if (!known) return StrCat("bare & in: ", text.substr(at, 40));
  }
  return "";
}

// `inside` is what stands after the name, up to the ">" or "/>".
std::string FaultInAttributes(std::string_view inside) {
  std::set<std::string_view> seen;
  while (!inside.empty()) {
    if (!inside.starts_with(' ')) return StrCat("no blank before: ", inside.substr(0, 40));
    inside.remove_prefix(1);
    const std::string_view name = TakeName(inside);
    if (name.empty() || !inside.starts_with("=\"")) return StrCat("no attribute: ", inside.substr(0, 40));
    if (!seen.insert(name).second) return StrCat("attribute twice: ", name);
    inside.remove_prefix(2);
    const size_t end = inside.find('"');
    if (end == std::string_view::npos) return StrCat("open quote after ", name);
    if (auto fault = FaultInText(inside.substr(0, end)); !fault.empty()) return fault;
    inside.remove_prefix(end + 1);
  }
  return "";
}

// Takes "<...>" off the front and keeps the stack of open elements.
std::string TakeTag(std::string_view& markup, std::vector<std::string_view>& open) {
  const size_t end = markup.find('>');
  if (end == std::string_view::npos || markup.substr(1, end - 1).find('<') != std::string_view::npos) {
    return StrCat("open tag: ", markup.substr(0, 40));
  }
  std::string_view inside = markup.substr(1, end - 1);
  markup.remove_prefix(end + 1);
  const bool closes = inside.starts_with('/');
  if (closes) inside.remove_prefix(1);
  const bool empty = inside.ends_with('/');
  if (empty) inside.remove_suffix(1);
  const std::string_view name = TakeName(inside);
  if (name.empty()) return "a tag without a name";
  if (!closes) {
    if (!empty) open.push_back(name);
    return FaultInAttributes(inside);
  }
  if (open.empty() || open.back() != name) return StrCat("</", name, "> closes nothing");
  open.pop_back();
  return inside.empty() ? "" : "attributes of an end tag";
}

}  // namespace

std::string FaultIn(std::string_view markup) {
  constexpr std::string_view kDoctype = "<!DOCTYPE html>";
  if (markup.starts_with(kDoctype)) markup.remove_prefix(kDoctype.size());
  std::vector<std::string_view> open;
  while (!markup.empty()) {
    const size_t tag = std::min(markup.find('<'), markup.size());
    if (auto fault = FaultInText(markup.substr(0, tag)); !fault.empty()) return fault;
    markup.remove_prefix(tag);
    if (markup.empty()) break;
    if (auto fault = TakeTag(markup, open); !fault.empty()) return fault;
  }
  return open.empty() ? "" : StrCat("never closed: <", open.back(), ">");
}

}  // namespace ballast::sim
