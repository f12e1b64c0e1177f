#include "common/kernel/memory_block_parser.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

constexpr std::array<std::string_view, 3> kStates{"offline", "going-offline", "online"};
constexpr std::array<std::string_view, 4> kPolicies{"offline", "online", "online_kernel", "online_movable"};
constexpr size_t kShown = 32;  // of a text that is wrong

std::string_view WithoutEnd(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

absl::Status Wrong(std::string_view file, std::string_view text, std::string_view right) {
  return absl::InvalidArgumentError(StrCat(file, " is '", text.substr(0, kShown), "', not ", right));
}

std::optional<ZoneKind> ZoneNamed(std::string_view name) {
  for (size_t i = 0; i < kZoneKinds; ++i) {
    if (NameOf(static_cast<ZoneKind>(i)) == name) return static_cast<ZoneKind>(i);
  }
  return std::nullopt;
}

}  // namespace

bool ValidZones::Has(ZoneKind kind) const {
  return std::find(zones.begin(), zones.end(), kind) != zones.end();
}

absl::StatusOr<BlockState> ParseBlockState(std::string_view text) {
  const std::string_view word = WithoutEnd(text);
  for (size_t i = 0; i < kStates.size(); ++i) {
    if (word == kStates[i]) return static_cast<BlockState>(i);
  }
  return Wrong("state", word, "online, offline or going-offline");
}

absl::StatusOr<ValidZones> ParseValidZones(std::string_view text) {
  const std::string_view line = WithoutEnd(text);
  ValidZones valid;
  if (line == "none") {
    valid.spans = true;
    return valid;
  }
  std::string_view rest = line;
  while (!rest.empty()) {
    const size_t end = rest.find(' ');
    const auto kind = ZoneNamed(rest.substr(0, end));
    if (!kind || valid.Has(*kind) || !valid.zones.Add(*kind)) break;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  if (!rest.empty() || valid.zones.empty() || line.ends_with(' ')) {
    return Wrong("valid_zones", line, "none, or zones such as 'Normal Movable'");
  }
  return valid;
}

absl::StatusOr<int64_t> ParseBlockSize(std::string_view text) {
  const std::string_view digits = WithoutEnd(text);
  int64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  if (!whole || size < kMinBlockSize || size > kMaxBlockSize ||
      !std::has_single_bit(static_cast<uint64_t>(size))) {
    return Wrong("block_size_bytes", digits, "a power of two from 100000 to 10000000000, in hexadecimal");
  }
  return size;
}

absl::StatusOr<AutoOnline> ParseAutoOnline(std::string_view text) {
  const std::string_view word = WithoutEnd(text);
  for (size_t i = 0; i < kPolicies.size(); ++i) {
    if (word == kPolicies[i]) return static_cast<AutoOnline>(i);
  }
  return Wrong("auto_online_blocks", word, "offline, online, online_kernel or online_movable");
}

absl::StatusOr<bool> ParseSwitch(std::string_view name, std::string_view text) {
  const std::string_view word = WithoutEnd(text);
  if (word == "Y" || word == "force") return true;
  if (word == "N") return false;
  return Wrong(name, word, "Y, N or force");
}

std::optional<int64_t> BlockNumberOf(std::string_view name) {
  constexpr std::string_view kPrefix = "memory";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  if (name.size() > 1 && name.front() == '0') return std::nullopt;
  const auto number = TakeNumber(name);
  if (!number || !name.empty() || *number > kMaxBlockNumber) return std::nullopt;
  return number;
}

std::string_view NameOf(BlockState state) { return kStates[static_cast<size_t>(state)]; }
std::string_view NameOf(AutoOnline policy) { return kPolicies[static_cast<size_t>(policy)]; }

}  // namespace ballast::kernel
