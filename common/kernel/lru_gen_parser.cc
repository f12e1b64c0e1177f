#include "common/kernel/lru_gen_parser.h"

#include <array>

#include "absl/status/status.h"
#include "common/base/short_list.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

constexpr int64_t kMaxPages = int64_t{1} << 46;
constexpr int64_t kMaxAgeMs = int64_t{1} << 42;  // 139 years
constexpr int64_t kMaxSum = kMaxNumber / 4;

struct Generation {
  Nanos age;
  int64_t anon_pages = 0;
  int64_t file_pages = 0;
};

// The kernel keeps four; room for those to come.
using Generations = ShortList<Generation, 16>;

// "          2       4244        546           0 ": number, age in ms, anonymous pages, file pages.
absl::Status ReadGeneration(int number, std::string_view line, Generations& generations) {
  constexpr std::array<std::string_view, 4> kColumns{"generation", "age", "anon", "file"};
  constexpr std::array<int64_t, 4> kMost{kMaxNumber, kMaxAgeMs, kMaxPages, kMaxPages};
  std::array<int64_t, 4> values{};
  for (size_t i = 0; i < values.size(); ++i) {
    SkipSpaces(line);
    const auto value = TakeNumber(line);
    if (!value || *value > kMost[i] || (!line.empty() && line.front() != ' ')) {
      return absl::InvalidArgumentError(
          StrCat("lru_gen: line ", number, ": ", kColumns[i], " is not a whole number up to ", kMost[i]));
    }
    values[i] = *value;
  }
  if (!generations.Add({Milliseconds(values[1]), values[2], values[3]})) {
    return absl::InvalidArgumentError(
        StrCat("lru_gen: line ", number, ": more than 16 generations in one node"));
  }
  return absl::OkStatus();
}

// The generations of one cgroup on one node.
absl::Status Judge(const Generations& generations, const ColdRule& rule, LruGenerations& sums) {
  int64_t pages = 0;
  int64_t cold_anon = 0;
  int64_t cold_file = 0;
  bool told_apart = false;
  for (size_t i = 0; i < generations.size(); ++i) {
    const Generation& generation = generations[i];
    pages += generation.anon_pages + generation.file_pages;
    if (i + 1 == generations.size()) break;
    const Nanos last_walk = generations[generations.size() - 1].age;
    const bool cold = last_walk <= rule.last_walk && generations[i + 1].age - last_walk >= rule.unused;
    if (!cold) continue;
    told_apart = true;
    cold_anon += generation.anon_pages;
    cold_file += generation.file_pages;
  }
  if (sums.pages > kMaxSum - pages) return absl::InvalidArgumentError("lru_gen: more than 2^60 pages in sum");
  sums.pages += pages;
  if (told_apart) sums.judged_pages += pages;
  sums.cold_anon_pages += cold_anon;
  sums.cold_file_pages += cold_file;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LruGenerations> ParseLruGen(std::string_view text, const ColdRule& rule) {
  LruGenerations sums;
  Generations generations;
  bool in_node = false;
  bool any = false;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = TakeLine(text);
    if (line.starts_with("memcg") || line.starts_with(" node")) {
      if (auto status = Judge(generations, rule, sums); !status.ok()) return status;
      generations.Clear();
      in_node = line.starts_with(" node");
      any = any || in_node;
    } else if (!in_node) {
      return absl::InvalidArgumentError(StrCat("lru_gen: line ", number, ": no node precedes it"));
    } else if (auto status = ReadGeneration(number, line, generations); !status.ok()) {
      return status;
    }
  }
  if (!any) return absl::InvalidArgumentError("lru_gen: no node in the text");
  if (auto status = Judge(generations, rule, sums); !status.ok()) return status;
  return sums;
}

}  // namespace ballast::kernel
