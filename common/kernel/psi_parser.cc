#include "common/kernel/psi_parser.h"

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

constexpr int64_t kMaxPermyriad = 10'000;

// "12.34" (percent, always two decimals) as 1234.
std::optional<int32_t> ParsePercent(std::string_view text) {
  const auto whole = TakeNumber(text);
  if (!whole || *whole > 100 || text.size() != 3 || text.front() != '.') return std::nullopt;
  text.remove_prefix(1);
  if (text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto hundredths = TakeNumber(text);
  if (!hundredths || !text.empty()) return std::nullopt;
  const int64_t permyriad = *whole * 100 + *hundredths;
  if (permyriad > kMaxPermyriad) return std::nullopt;
  return static_cast<int32_t>(permyriad);
}

absl::Status Wrong(std::string_view line, std::string_view key, std::string_view what) {
  return absl::InvalidArgumentError(StrCat("pressure: ", line, " ", key, " ", what));
}

// The rest of a line after its name: "avg10=0.00 avg60=0.00 avg300=0.00 total=5960".
absl::Status ParseKeys(std::string_view name, std::string_view rest, PsiLine& line) {
  bool total_seen = false;
  bool avg10_seen = false;
  while (!rest.empty()) {
    const size_t end = rest.find(' ');
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = word.substr(0, equals);
    std::string_view value = word.substr(equals + 1);
    if (key == "total") {
      const auto number = TakeNumber(value);
      if (!number || !value.empty()) return Wrong(name, key, "is not a whole number up to 2^62");
      line.total_us = *number;
      total_seen = true;
      continue;
    }
    int32_t* const average = key == "avg10"    ? &line.avg10_permyriad
                             : key == "avg60"  ? &line.avg60_permyriad
                             : key == "avg300" ? &line.avg300_permyriad
                                               : nullptr;
    if (average == nullptr) continue;
    const auto permyriad = ParsePercent(value);
    if (!permyriad) return Wrong(name, key, "is not a percentage like 1.23");
    *average = *permyriad;
    avg10_seen = avg10_seen || key == "avg10";
  }
  if (!avg10_seen) return Wrong(name, "avg10", "is missing");
  if (!total_seen) return Wrong(name, "total", "is missing");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Psi> ParsePsi(std::string_view text) {
  Psi psi;
  bool some_seen = false;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    if (line.starts_with("some ")) {
      if (auto status = ParseKeys("some", line.substr(5), psi.some); !status.ok()) return status;
      some_seen = true;
    } else if (line.starts_with("full ")) {
      if (auto status = ParseKeys("full", line.substr(5), psi.full.emplace()); !status.ok()) return status;
    }
  }
  if (!some_seen) return absl::InvalidArgumentError("pressure: the line 'some' is missing");
  return psi;
}

}  // namespace ballast::kernel
