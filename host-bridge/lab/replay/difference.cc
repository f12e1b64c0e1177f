#include "host-bridge/lab/replay/difference.h"

#include <algorithm>
#include <type_traits>

#include "common/base/text.h"
#include "host-bridge/record/fields.h"

namespace ballast::replay {
namespace {

template <typename T>
std::string TextOf(const T& value, MonotonicTime now) {
  if constexpr (record::IsOptional<T>) {
    return value.has_value() ? TextOf(*value, now) : "absent";
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return StrCat(static_cast<int>(value));
  } else if constexpr (std::is_same_v<T, MonotonicTime>) {
    return StrCat((now - value).count);
  } else if constexpr (std::is_same_v<T, Nanos> || std::is_same_v<T, BalloonBytes>) {
    return StrCat(value.count);
  } else {
    return StrCat(value);
  }
}

template <typename T>
concept IsOptionalStruct = record::IsOptional<std::remove_const_t<T>> && requires(T& value) {
  record::FieldsOf(*value);
};

// The first field of the two structs that differs, in the order of their lists.
template <record::HasFields S>
std::optional<Difference> Compare(const std::string& path, const S& recorded, const S& replayed,
                                  MonotonicTime now) {
  std::optional<Difference> found;
  record::ForEachField(recorded, replayed, [&](const auto& was, const auto& is) {
    if (found || was.value == is.value) return;
    const std::string name = StrCat(path, ".", was.name);
    using T = std::remove_reference_t<decltype(was.value)>;
    if constexpr (record::HasFields<T>) {
      found = Compare(name, was.value, is.value, now);
    } else if constexpr (IsOptionalStruct<T>) {
      found = was.value && is.value ? Compare(name, *was.value, *is.value, now)
                                    : Difference{.guest = "",
                                                 .field = name,
                                                 .recorded = was.value ? "present" : "absent",
                                                 .replayed = is.value ? "present" : "absent"};
    } else {
      found = Difference{
          .guest = "", .field = name, .recorded = TextOf(was.value, now), .replayed = TextOf(is.value, now)};
    }
  });
  return found;
}

template <typename T>
const T* ForGuest(const std::vector<T>& list, size_t guest) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const T& each) { return each.guest == guest; });
  return found == list.end() ? nullptr : &*found;
}

// What was said of one guest on either side: a decision or a hold, or nothing.
template <typename T>
std::optional<Difference> CompareSaid(const std::string& what, const T* recorded, const T* replayed,
                                      MonotonicTime now) {
  if (recorded != nullptr && replayed != nullptr) return Compare(what, *recorded, *replayed, now);
  if (recorded == replayed) return std::nullopt;
  return Difference{.guest = "",
                    .field = what,
                    .recorded = recorded == nullptr ? "none" : "one",
                    .replayed = replayed == nullptr ? "none" : "one"};
}

}  // namespace

std::optional<Difference> FirstDifference(const policy::Snapshot& snapshot, MonotonicTime now,
                                          const policy::Outcome& recorded, const policy::Outcome& replayed) {
  if (recorded == replayed) return std::nullopt;
  for (size_t i = 0; i < snapshot.guests.size(); ++i) {
    auto found =
        CompareSaid("decision", ForGuest(recorded.decisions, i), ForGuest(replayed.decisions, i), now);
    if (!found) found = CompareSaid("plug", ForGuest(recorded.plugs, i), ForGuest(replayed.plugs, i), now);
    if (!found) found = CompareSaid("hold", ForGuest(recorded.holds, i), ForGuest(replayed.holds, i), now);
    if (!found)
      found = CompareSaid("answer", ForGuest(recorded.answers, i), ForGuest(replayed.answers, i), now);
    if (!found && i < recorded.histories.size() && i < replayed.histories.size()) {
      found = Compare("history", recorded.histories[i], replayed.histories[i], now);
    }
    if (!found) continue;
    found->guest = snapshot.guests[i].limits.name;
    return found;
  }
  if (auto found = Compare("host_history", recorded.host_history, replayed.host_history, now)) return found;
  // Nothing that a guest or the host would notice: two decisions for one guest, or their order.
  return Difference{.guest = "",
                    .field = "decisions (number or order)",
                    .recorded = StrCat(recorded.decisions.size(), " and ", recorded.holds.size(), " holds"),
                    .replayed = StrCat(replayed.decisions.size(), " and ", replayed.holds.size(), " holds")};
}

}  // namespace ballast::replay
