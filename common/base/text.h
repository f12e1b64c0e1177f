// absl::StrCat for std::string_view. Debian builds Abseil with its own string_view type, to which the
// standard one does not convert; this is the one place that bridges them.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ballast {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

namespace internal {
template <typename T>
decltype(auto) AsPiece(const T& piece) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return ToAbsl(piece);
  } else {
    return (piece);
  }
}
}  // namespace internal

// The pieces (texts, numbers, absl::Hex...) put together.
template <typename... Pieces>
[[nodiscard]] std::string StrCat(const Pieces&... pieces) {
  return absl::StrCat(internal::AsPiece(pieces)...);
}

// The message of a status as a standard string.
[[nodiscard]] inline std::string MessageOf(const absl::Status& status) {
  return std::string(status.message());
}

// The same status with "context: " before its message.
[[nodiscard]] inline absl::Status WithContext(std::string_view context, const absl::Status& status) {
  return absl::Status(status.code(), StrCat(context, ": ", MessageOf(status)));
}

}  // namespace ballast
