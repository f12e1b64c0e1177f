// The values a scenario file can give to a key: how each kind of value is read, bounded and written back.
// Texts are those of the bridge's own configuration ("512MiB", "30s", "2.5%"); a range is written
// "64MiB..512MiB".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "host-bridge/config/config_keys.h"
#include "host-bridge/lab/scenario/random.h"

namespace ballast::sim {

// Both ways; what `format` writes, `parse` reads.
template <typename T>
struct TextForm {
  std::function<absl::StatusOr<T>(std::string_view)> parse;
  std::function<std::string(const T&)> format;
};

// Each refuses what is outside its bounds and says which they are.
[[nodiscard]] TextForm<int64_t> SizeText(int64_t least, int64_t most);
[[nodiscard]] TextForm<int64_t> SpeedText(int64_t least, int64_t most);  // "15MiB/s"
[[nodiscard]] TextForm<Nanos> TimeText(Nanos least, Nanos most);
[[nodiscard]] TextForm<int32_t> ShareText(int32_t least, int32_t most);  // permyriad
[[nodiscard]] TextForm<double> NumberText(double least, double most);
[[nodiscard]] TextForm<int32_t> CountText(int32_t least, int32_t most);
[[nodiscard]] TextForm<bool> YesNoText();

// The bounds most keys use. A memory size of a guest or of its load is at most 1 TiB, as in the policy; a
// speed is at most 1 TiB/s, a length of time at most 400 days.
[[nodiscard]] TextForm<int64_t> AnySize();
[[nodiscard]] TextForm<int64_t> AnySpeed();
[[nodiscard]] TextForm<Nanos> AnyTime();   // 0 included
[[nodiscard]] TextForm<Nanos> SomeTime();  // at least 1 ms
[[nodiscard]] TextForm<int32_t> AnyShare();

// "A..B" with A <= B, or "A" alone for A..A.
template <typename T>
[[nodiscard]] TextForm<Between<T>> RangeOf(TextForm<T> ends) {
  TextForm<Between<T>> range;
  range.parse = [ends](std::string_view text) -> absl::StatusOr<Between<T>> {
    const size_t dots = text.find("..");
    const auto least = ends.parse(text.substr(0, dots));
    if (!least.ok()) return least.status();
    if (dots == std::string_view::npos) return Between<T>{*least, *least};
    const auto most = ends.parse(text.substr(dots + 2));
    if (!most.ok()) return most.status();
    if (*most < *least) {
      return absl::InvalidArgumentError(StrCat("the range ends below its beginning; write ",
                                               ends.format(*most), "..", ends.format(*least)));
    }
    return Between<T>{*least, *most};
  };
  range.format = [ends](const Between<T>& value) {
    const std::string least = ends.format(value.least);
    return value.least == value.most ? least : StrCat(least, "..", ends.format(value.most));
  };
  return range;
}

// The key `name` that sets one member of S.
template <typename S, typename T>
[[nodiscard]] config::Key<S> Parameter(std::string_view name, T S::*member, TextForm<T> text) {
  return {.name = name,
          .read = [member, text](std::string_view value, S& out) -> absl::Status {
            auto parsed = text.parse(value);
            if (parsed.ok()) out.*member = *std::move(parsed);
            return parsed.status();
          },
          .write = [member, text](const S& from) { return text.format(from.*member); }};
}

template <typename S, typename T>
[[nodiscard]] config::Key<S> Parameter(std::string_view name, Between<T> S::*member, TextForm<T> ends) {
  return Parameter(name, member, RangeOf(std::move(ends)));
}

}  // namespace ballast::sim
