// Structs to messages and back, by their lists of fields: what differs from an earlier value, laid over it
// again.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/base/units.h"
#include "host-bridge/record/fields.h"

namespace ballast::record {

inline constexpr int kAbsentField = 100;  // `absent` in each message

namespace internal {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

inline const FieldDescriptor* FieldOf(const Message& message, int number) {
  return message.GetDescriptor()->FindFieldByNumber(number);
}

// Modulo 2^64: any instant, however absurd, comes back as it was.
inline int64_t AgeOf(MonotonicTime instant, MonotonicTime now) {
  return static_cast<int64_t>(static_cast<uint64_t>(now.ns) - static_cast<uint64_t>(instant.ns));
}

template <typename T>
void SetScalar(const T& value, MonotonicTime now, Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  if constexpr (std::is_same_v<T, bool>) {
    reflection->SetBool(&message, field, value);
  } else if constexpr (std::is_same_v<T, int32_t>) {
    reflection->SetInt32(&message, field, value);
  } else if constexpr (std::is_same_v<T, int64_t>) {
    reflection->SetInt64(&message, field, value);
  } else if constexpr (std::is_same_v<T, size_t>) {
    reflection->SetUInt32(&message, field, static_cast<uint32_t>(value));
  } else if constexpr (std::is_same_v<T, policy::Rule>) {
    reflection->SetUInt32(&message, field, static_cast<uint32_t>(value));
  } else if constexpr (std::is_enum_v<T>) {
    reflection->SetEnumValue(&message, field, static_cast<int>(value) + 1);  // 0 is UNSPECIFIED
  } else if constexpr (std::is_same_v<T, std::string>) {
    reflection->SetString(&message, field, value);
  } else if constexpr (std::is_same_v<T, MonotonicTime>) {
    reflection->SetInt64(&message, field, AgeOf(value, now));
  } else {
    reflection->SetInt64(&message, field, value.count);  // Nanos, BalloonBytes
  }
}

template <typename T>
absl::Status GetScalar(const Message& message, const FieldDescriptor* field, MonotonicTime now, T& value) {
  const auto* reflection = message.GetReflection();
  if constexpr (std::is_same_v<T, bool>) {
    value = reflection->GetBool(message, field);
  } else if constexpr (std::is_same_v<T, int32_t>) {
    value = reflection->GetInt32(message, field);
  } else if constexpr (std::is_same_v<T, int64_t>) {
    value = reflection->GetInt64(message, field);
  } else if constexpr (std::is_same_v<T, size_t>) {
    value = reflection->GetUInt32(message, field);
  } else if constexpr (std::is_enum_v<T>) {
    constexpr bool kByNumber = std::is_same_v<T, policy::Rule>;
    const int64_t number = kByNumber ? int64_t{reflection->GetUInt32(message, field)}
                                     : int64_t{reflection->GetEnumValue(message, field)} - 1;
    if (number < 0 || number > kLargest<T>) {
      return absl::DataLossError(StrCat(std::string(field->full_name()), ": ", number,
                                        " is out of range, allowed 0..", kLargest<T>));
    }
    value = static_cast<T>(number);
  } else if constexpr (std::is_same_v<T, std::string>) {
    value = reflection->GetString(message, field);
  } else if constexpr (std::is_same_v<T, MonotonicTime>) {
    value = {AgeOf({reflection->GetInt64(message, field)}, now)};  // now - (now - instant)
  } else {
    value = {reflection->GetInt64(message, field)};
  }
  return absl::OkStatus();
}

template <typename T>
auto ValueOf(const T& value) {
  if constexpr (IsOptional<T>) {
    return value.value_or(std::remove_cvref_t<decltype(*value)>{});
  } else {
    return value;
  }
}

}  // namespace internal

template <HasFields S>
void EncodeFields(const S& value, const S& before, MonotonicTime now, google::protobuf::Message& message);

// One field of a message: nothing when it is as before.
template <typename T>
void EncodeField(int number, const T& value, const T& before, MonotonicTime now,
                 google::protobuf::Message& message) {
  if (value == before) return;
  if constexpr (IsOptional<T>) {
    if (!value.has_value()) {
      message.GetReflection()->AddUInt32(&message, internal::FieldOf(message, kAbsentField),
                                         static_cast<uint32_t>(number));
      return;
    }
  }
  const auto* field = internal::FieldOf(message, number);
  const auto present = internal::ValueOf(value);
  if constexpr (HasFields<const std::remove_cvref_t<decltype(present)>>) {
    EncodeFields(present, internal::ValueOf(before), now,
                 *message.GetReflection()->MutableMessage(&message, field));
  } else {
    internal::SetScalar(present, now, message, field);
  }
}

template <HasFields S>
void EncodeFields(const S& value, const S& before, MonotonicTime now, google::protobuf::Message& message) {
  ForEachField(value, before, [&](const auto& field, const auto& was) {
    EncodeField(field.number, field.value, was.value, now, message);
  });
}

template <HasFields S>
absl::Status DecodeFields(const google::protobuf::Message& message, MonotonicTime now, S& value);

// Lays a field of the message, when it is there, over `value`. Errors name the field and its range.
template <typename T>
absl::Status DecodeField(int number, const google::protobuf::Message& message, MonotonicTime now, T& value) {
  const auto* field = internal::FieldOf(message, number);
  if (!message.GetReflection()->HasField(message, field)) return absl::OkStatus();
  auto present = internal::ValueOf(value);
  absl::Status status;
  if constexpr (HasFields<decltype(present)>) {
    status = DecodeFields(message.GetReflection()->GetMessage(message, field), now, present);
  } else {
    status = internal::GetScalar(message, field, now, present);
  }
  if (status.ok()) value = std::move(present);
  return status;
}

// Whether the message lists this field as absent.
[[nodiscard]] inline bool IsAbsent(int number, const google::protobuf::Message& message) {
  const auto* absent = internal::FieldOf(message, kAbsentField);
  const auto* reflection = message.GetReflection();
  for (int i = 0; i < reflection->FieldSize(message, absent); ++i) {
    if (reflection->GetRepeatedUInt32(message, absent, i) == static_cast<uint32_t>(number)) return true;
  }
  return false;
}

template <HasFields S>
absl::Status DecodeFields(const google::protobuf::Message& message, MonotonicTime now, S& value) {
  absl::Status status;
  const bool any_absent =
      message.GetReflection()->FieldSize(message, internal::FieldOf(message, kAbsentField)) > 0;
  ForEachField(value, value, [&](const auto& field, const auto&) {
    using T = std::remove_cvref_t<decltype(field.value)>;
    if constexpr (IsOptional<T>) {
      if (any_absent && IsAbsent(field.number, message)) field.value.reset();
    }
    if (status.ok()) status = DecodeField(field.number, message, now, field.value);
  });
  return status;
}

}  // namespace ballast::record
