// Structs with a different value in every field, so that a field that is forgotten or mixed up with another
// shows.
#pragma once

#include <string>
#include <type_traits>

#include "host-bridge/record/fields.h"

namespace ballast::record {

// Values count up from `next`; enums stay in their range.
template <typename T>
void FillDistinct(T& value, int64_t& next) {
  if constexpr (HasFields<T>) {
    ForEachField(value, value, [&](const auto& field, const auto&) { FillDistinct(field.value, next); });
  } else if constexpr (IsOptional<T>) {
    std::remove_cvref_t<decltype(*value)> present{};
    FillDistinct(present, next);
    value = present;
  } else if constexpr (std::is_same_v<T, bool>) {
    value = !value;
  } else if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(1 + next++ % std::min(kLargest<T>, 10));
  } else if constexpr (std::is_same_v<T, std::string>) {
    value = "name-" + std::to_string(next++);
  } else if constexpr (std::is_same_v<T, MonotonicTime>) {
    value = {1'000'000 + next++};
  } else if constexpr (std::is_same_v<T, Nanos> || std::is_same_v<T, BalloonBytes>) {
    value = {next++};
  } else {
    value = static_cast<T>(next++);
  }
}

template <typename T>
T Distinct(int64_t from = 1000) {
  T value;
  FillDistinct(value, from);
  return value;
}

}  // namespace ballast::record
