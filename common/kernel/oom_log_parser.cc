#include "common/kernel/oom_log_parser.h"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/kernel/number_field.h"

namespace ballast::kernel {
namespace {

constexpr int64_t kFacilities = 8;  // the low three bits of the priority are the level
constexpr size_t kMaxCommBytes = 15;
constexpr size_t kEscapedByte = 4;  // "\x2c"

// The number at the front, its digits in `base`, removed from `text`.
template <typename T>
std::optional<T> TakeAs(std::string_view& text, int base = 10) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

// The whole text as a number.
template <typename T>
std::optional<T> AllAs(std::string_view text, int base = 10) {
  const auto number = TakeAs<T>(text, base);
  return text.empty() ? number : std::nullopt;
}

bool Take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// Cuts `text` before the last `key` and returns what followed it.
std::optional<std::string_view> CutLast(std::string_view& text, std::string_view key) {
  const size_t at = text.rfind(key);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + key.size());
  text = text.substr(0, at);
  return rest;
}

// The number between `key` and a comma.
std::optional<int64_t> TakeField(std::string_view& text, std::string_view key) {
  if (!Take(text, key)) return std::nullopt;
  const auto number = TakeNumber(text);
  if (!number || !Take(text, ",")) return std::nullopt;
  return number;
}

size_t UnescapedSize(std::string_view text) {
  size_t size = 0;
  for (; !text.empty(); ++size)
    text.remove_prefix(text.starts_with("\\x") && text.size() >= kEscapedByte ? kEscapedByte : 1);
  return size;
}

absl::Status Wrong(std::string_view what) { return absl::InvalidArgumentError(StrCat("kmsg: ", what)); }

std::optional<OomLine> ParseInvoked(std::string_view text) {
  OomInvoked invoked;
  auto rest = CutLast(text, " invoked oom-killer: gfp_mask=0x");
  if (!rest) return std::nullopt;
  invoked.comm = text;
  const auto mask = TakeAs<uint32_t>(*rest, 16);
  std::string_view tail = *rest;
  if (!mask || !CutLast(tail, ", oom_score_adj=")) return std::nullopt;
  const auto order = CutLast(tail, ", order=");
  if (!order) return std::nullopt;
  const auto number = AllAs<int32_t>(*order);
  if (!number) return std::nullopt;
  invoked.gfp_mask = *mask;
  invoked.order = *number;
  return invoked;
}

OomConstraint ConstraintOf(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, OomConstraint>, 4> kNames{
      {{"CONSTRAINT_NONE", OomConstraint::kNone},
       {"CONSTRAINT_CPUSET", OomConstraint::kCpuset},
       {"CONSTRAINT_MEMORY_POLICY", OomConstraint::kMemoryPolicy},
       {"CONSTRAINT_MEMCG", OomConstraint::kMemcg}}};
  for (const auto& [known, constraint] : kNames) {
    if (name == known) return constraint;
  }
  return OomConstraint::kUnknown;
}

// A name may itself hold ",task=": the earliest that leaves a possible name is meant.
std::optional<std::string_view> CutComm(std::string_view& text) {
  constexpr std::string_view kKey = ",task=";
  for (size_t at = text.find(kKey); at != std::string_view::npos; at = text.find(kKey, at + 1)) {
    const std::string_view comm = text.substr(at + kKey.size());
    if (UnescapedSize(comm) > kMaxCommBytes) continue;
    text = text.substr(0, at);
    return comm;
  }
  return std::nullopt;
}

std::optional<OomLine> ParseChosen(std::string_view text) {
  if (!Take(text, "oom-kill:constraint=")) return std::nullopt;
  OomChosen chosen;
  chosen.constraint = ConstraintOf(text.substr(0, text.find(',')));
  const auto uid = CutLast(text, ",uid=");
  if (!uid) return std::nullopt;
  const auto pid = CutLast(text, ",pid=");
  if (!pid) return std::nullopt;
  const auto uid_number = AllAs<uint32_t>(*uid);
  const auto pid_number = AllAs<int32_t>(*pid);
  const auto comm = CutComm(text);
  if (!uid_number || !pid_number || *pid_number <= 0 || !comm) return std::nullopt;
  chosen.uid = *uid_number;
  chosen.pid = *pid_number;
  chosen.comm = *comm;
  chosen.cgroup = CutLast(text, ",task_memcg=").value_or("");
  chosen.limit_cgroup = CutLast(text, ",oom_memcg=").value_or("");
  return chosen;
}

// "923616kB" into bytes.
std::optional<int64_t> KibOf(std::string_view text) {
  const auto kib = TakeNumber(text);
  if (!kib || *kib > kMaxNumber / kKiB || text != "kB") return std::nullopt;
  return *kib * kKiB;
}

// The size after `key`, up to a comma or the end, removed from the front.
std::optional<int64_t> TakeSize(std::string_view& text, std::string_view key) {
  if (!Take(text, key)) return std::nullopt;
  const size_t end = text.find(',');
  const auto size = KibOf(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return size;
}

// " UID:0 pgtables:752kB oom_score_adj:0"; kernels before 5.3 write less of it.
void FillTail(std::string_view text, OomKilled& killed) {
  while (!text.empty()) {
    SkipSpaces(text);
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    std::string_view value = word;
    if (Take(value, "UID:")) killed.uid = AllAs<uint32_t>(value);
    if (Take(value, "pgtables:")) killed.page_table_bytes = KibOf(value);
    if (Take(value, "oom_score_adj:")) killed.oom_score_adj = AllAs<int32_t>(value);
  }
}

std::optional<OomLine> ParseKilled(std::string_view text) {
  if (!text.starts_with("Out of memory") && !text.starts_with("Memory cgroup out of memory"))
    return std::nullopt;
  OomKilled killed;
  auto sizes = CutLast(text, " total-vm:");
  if (!sizes || !text.ends_with(')')) return std::nullopt;
  const size_t at = text.find(": Killed process ");
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at);
  Take(text, ": Killed process ");
  const auto pid = TakeAs<int32_t>(text);
  if (!pid || *pid <= 0 || !Take(text, " (")) return std::nullopt;
  killed.pid = *pid;
  killed.comm = text.substr(0, text.size() - 1);
  const auto total = TakeSize(*sizes, "");
  const auto anon = TakeSize(*sizes, " anon-rss:");
  const auto file = TakeSize(*sizes, " file-rss:");
  const auto shmem = TakeSize(*sizes, " shmem-rss:");
  if (!total || !anon || !file || !shmem) return std::nullopt;
  killed.total_vm_bytes = *total;
  killed.anon_bytes = *anon;
  killed.file_bytes = *file;
  killed.shmem_bytes = *shmem;
  FillTail(*sizes, killed);
  return killed;
}

}  // namespace

absl::StatusOr<KmsgRecord> ParseKmsgRecord(std::string_view record) {
  KmsgRecord parsed;
  const auto priority = TakeField(record, "");
  if (!priority || *priority / kFacilities > std::numeric_limits<int32_t>::max()) return Wrong("no priority");
  const auto sequence = TakeField(record, "");
  if (!sequence) return Wrong("no sequence number after the priority");
  const auto time = TakeField(record, "");
  if (!time) return Wrong("no time after the sequence number");
  const size_t text = record.find(';');
  if (text == std::string_view::npos) return Wrong("no ';' before the text");
  record.remove_prefix(text + 1);
  parsed.facility = static_cast<int32_t>(*priority / kFacilities);
  parsed.sequence = static_cast<uint64_t>(*sequence);
  parsed.time_us = *time;
  parsed.text = TakeLine(record);
  return parsed;
}

std::optional<OomLine> ParseOomLine(const KmsgRecord& record) {
  if (record.facility != 0) return std::nullopt;
  if (record.text.starts_with("oom-kill:")) return ParseChosen(record.text);
  if (auto killed = ParseKilled(record.text)) return killed;
  return ParseInvoked(record.text);
}

}  // namespace ballast::kernel
