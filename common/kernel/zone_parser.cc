#include "common/kernel/zone_parser.h"

#include <algorithm>
#include <array>
#include <optional>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

constexpr std::array<std::string_view, kZoneKinds> kNames{"DMA",     "DMA32",   "Normal",
                                                          "HighMem", "Movable", "Device"};

// 2^46 pages of 64 KiB are 2^62 bytes.
constexpr int64_t kMaxPages = int64_t{1} << 46;

struct NamedField {
  std::string_view name;
  int64_t Zone::*field;
};

// In the order of the text; the first begins a zone's numbers, the last ends what is read of them. What
// follows is several lines a CPU, among them others called "high".
constexpr std::array<NamedField, 6> kFields{{
    {"pages free", &Zone::free_bytes},
    {"min", &Zone::min_bytes},
    {"low", &Zone::low_bytes},
    {"high", &Zone::high_bytes},
    {"present", &Zone::present_bytes},
    {"managed", &Zone::managed_bytes},
}};

absl::Status Wrong(const Zone& zone, std::string_view field, std::string_view what) {
  return absl::InvalidArgumentError(StrCat("zoneinfo: zone ", NameOf(zone.kind), ": ", field, " ", what));
}

// "Node 0, zone    DMA32"
std::optional<ZoneKind> KindOf(std::string_view line) {
  const std::string_view name = line.substr(line.rfind(' ') + 1);
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<ZoneKind>(found - kNames.begin());
}

// One zone of one node, as far as it was read.
struct Draft {
  Zone zone;
  size_t fields = 0;  // of kFields, from the first on
};

// Takes the line when it is the next field.
absl::Status ReadField(std::string_view line, int64_t page_size_bytes, Draft& draft) {
  SkipSpaces(line);
  const NamedField& next = kFields[draft.fields];
  if (!line.starts_with(next.name)) return absl::OkStatus();
  line.remove_prefix(next.name.size());
  if (!line.empty() && line.front() != ' ') return absl::OkStatus();  // a longer name
  SkipSpaces(line);
  const auto pages = TakeNumber(line);
  if (!pages || !line.empty() || *pages > kMaxPages) {
    return Wrong(draft.zone, next.name, "is not a number of pages up to 2^46");
  }
  draft.zone.*next.field = *pages * page_size_bytes;
  ++draft.fields;
  return absl::OkStatus();
}

absl::Status Finish(Draft& draft, Zones& zones) {
  Zone& zone = draft.zone;
  if (draft.fields < kFields.size()) return Wrong(zone, kFields[draft.fields].name, "is missing");
  if (zone.present_bytes == 0) return absl::OkStatus();
  if (zone.min_bytes > zone.low_bytes) return Wrong(zone, "min", "is above low");
  if (zone.low_bytes > zone.high_bytes) return Wrong(zone, "low", "is above high");
  // The kernel's count lags by what its CPUs have not added up yet.
  zone.free_bytes = std::min(zone.free_bytes, zone.managed_bytes);
  auto* const known =
      std::find_if(zones.begin(), zones.end(), [&](const Zone& z) { return z.kind == zone.kind; });
  if (known == zones.end()) {
    zones.Add(zone);  // there is room for each kind
    return absl::OkStatus();
  }
  for (const NamedField& named : kFields) {
    if (zone.*named.field > kMaxNumber - known->*named.field)
      return Wrong(zone, named.name, "is above 2^62 in sum");
    known->*named.field += zone.*named.field;
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view NameOf(ZoneKind kind) { return kNames[static_cast<size_t>(kind)]; }

absl::StatusOr<Zones> ParseZoneinfo(std::string_view text, int64_t page_size_bytes) {
  Zones zones;
  std::optional<Draft> draft;
  bool any = false;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    if (line.starts_with("Node ")) {
      if (draft) {
        if (auto status = Finish(*draft, zones); !status.ok()) return status;
      }
      draft.reset();
      any = true;
      if (const auto kind = KindOf(line)) draft.emplace().zone.kind = *kind;
    } else if (draft && draft->fields < kFields.size()) {
      if (auto status = ReadField(line, page_size_bytes, *draft); !status.ok()) return status;
    }
  }
  if (!any) return absl::InvalidArgumentError("zoneinfo: no line begins a zone (\"Node 0, zone ...\")");
  if (draft) {
    if (auto status = Finish(*draft, zones); !status.ok()) return status;
  }
  return zones;
}

}  // namespace ballast::kernel
