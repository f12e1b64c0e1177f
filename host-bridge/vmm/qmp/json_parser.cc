#include "host-bridge/vmm/qmp/json_parser.h"

#include <boost/json.hpp>

#include "common/base/text.h"

namespace ballast::vmm::qmp {
namespace {

namespace json = boost::json;

// Far above the 256 slots QEMU has for memory devices.
constexpr size_t kMaxEntries = 4096;

// The value in error texts: printable JSON (control characters are escaped by the serializer), cut short.
std::string Excerpt(const json::value& value) {
  constexpr size_t kLongest = 80;
  std::string text = json::serialize(value);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

}  // namespace

absl::Status Wrong(std::string_view what, std::string_view expected, const json::value& got) {
  return absl::InvalidArgumentError(StrCat(what, ": expected ", expected, ", got ", Excerpt(got)));
}

absl::StatusOr<const json::value*> Member(const json::value& value, std::string_view what,
                                          std::string_view name) {
  const json::object* object = value.if_object();
  if (object == nullptr) return Wrong(what, "an object", value);
  const json::value* member = object->if_contains(name);
  if (member == nullptr) return Wrong(what, StrCat("a member '", name, "'"), value);
  return member;
}

absl::StatusOr<int64_t> Integer(const json::value& value, std::string_view what, Range range) {
  const bool in_int64 = value.is_int64() || (value.is_uint64() && value.get_uint64() <= uint64_t{kMaxBytes});
  if (in_int64) {
    const auto number = value.is_int64() ? value.get_int64() : static_cast<int64_t>(value.get_uint64());
    if (number >= range.low && number <= range.high) return number;
  }
  return Wrong(what, StrCat("an integer from ", range.low, " to ", range.high), value);
}

absl::StatusOr<int64_t> IntegerMember(const json::value& value, std::string_view what, std::string_view name,
                                      Range range) {
  const auto member = Member(value, what, name);
  if (!member.ok()) return member.status();
  return Integer(**member, StrCat(what, " ", name), range);
}

absl::StatusOr<std::string> Text(const json::value& value, std::string_view what) {
  const json::string* text = value.if_string();
  if (text == nullptr) return Wrong(what, "a string", value);
  return std::string(text->data(), text->size());
}

absl::StatusOr<std::string> TextMember(const json::value& value, std::string_view what,
                                       std::string_view name) {
  const auto member = Member(value, what, name);
  if (!member.ok()) return member.status();
  return Text(**member, StrCat(what, " ", name));
}

absl::StatusOr<std::string> OptionalTextMember(const json::value& value, std::string_view what,
                                               std::string_view name) {
  const json::object* object = value.if_object();
  if (object != nullptr && !object->contains(name)) return std::string();
  return TextMember(value, what, name);
}

absl::StatusOr<bool> Truth(const json::value& value, std::string_view what) {
  if (!value.is_bool()) return Wrong(what, "true or false", value);
  return value.get_bool();
}

absl::StatusOr<const json::array*> List(const json::value& value, std::string_view what) {
  const json::array* list = value.if_array();
  if (list == nullptr) return Wrong(what, "an array", value);
  if (list->size() > kMaxEntries) {
    return absl::InvalidArgumentError(
        StrCat(what, ": expected at most ", kMaxEntries, " entries, got ", list->size()));
  }
  return list;
}

}  // namespace ballast::vmm::qmp
