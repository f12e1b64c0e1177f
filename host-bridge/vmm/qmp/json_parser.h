// Members of JSON values, checked for presence, type and range. Pure. Errors are INVALID_ARGUMENT and say
// what was expected where, and what came.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ballast::vmm::qmp {

// No machine has more memory; sums of two such numbers still fit into int64_t.
inline constexpr int64_t kMaxBytes = int64_t{1} << 62;

struct Range {
  int64_t low = 0;
  int64_t high = 0;
};

// "`what`: expected `expected`, got ..." with the value's JSON, cut short.
[[nodiscard]] absl::Status Wrong(std::string_view what, std::string_view expected,
                                 const boost::json::value& got);
[[nodiscard]] absl::StatusOr<const boost::json::value*> Member(const boost::json::value& value,
                                                               std::string_view what, std::string_view name);
[[nodiscard]] absl::StatusOr<int64_t> Integer(const boost::json::value& value, std::string_view what,
                                              Range range);
[[nodiscard]] absl::StatusOr<int64_t> IntegerMember(const boost::json::value& value, std::string_view what,
                                                    std::string_view name, Range range);
[[nodiscard]] absl::StatusOr<std::string> Text(const boost::json::value& value, std::string_view what);
[[nodiscard]] absl::StatusOr<std::string> TextMember(const boost::json::value& value, std::string_view what,
                                                     std::string_view name);
// "" where the member is absent.
[[nodiscard]] absl::StatusOr<std::string> OptionalTextMember(const boost::json::value& value,
                                                             std::string_view what, std::string_view name);
[[nodiscard]] absl::StatusOr<bool> Truth(const boost::json::value& value, std::string_view what);
// An array of no more entries than anything QEMU lists.
[[nodiscard]] absl::StatusOr<const boost::json::array*> List(const boost::json::value& value,
                                                             std::string_view what);

}  // namespace ballast::vmm::qmp
