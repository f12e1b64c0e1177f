#include "host-bridge/lab/replay/replay_text.h"

#include <cstdio>
#include <ctime>
#include <set>

#include "common/base/text.h"

namespace ballast::replay {
namespace {

std::string Seconds3(Nanos span) {
  char text[48];
  const int64_t milliseconds = span.count / 1'000'000;
  std::snprintf(text, sizeof text, "%lld.%03lld s", static_cast<long long>(milliseconds / 1000),
                static_cast<long long>(milliseconds < 0 ? -milliseconds % 1000 : milliseconds % 1000));
  return text;
}

// Universal time, so that the text does not depend on where it is made.
std::string DateOf(int64_t unix_ms) {
  const time_t seconds = unix_ms / 1000;
  tm parts{};
  char text[64];
  if (gmtime_r(&seconds, &parts) == nullptr) return "an unknown time";
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

std::string HeadOf(const ReplayReport& report) {
  const record::JournalHeader& header = report.header;
  std::string text =
      StrCat("recorded by Ballast ", header.ballast_version, " from ", DateOf(header.written_unix_ms), ", ",
             header.guests.size(), " guest(s)", header.dry_run ? ", dry run" : "", "\n", report.entries,
             " entries over ", Seconds3(report.last_at - report.first_at));
  if (report.runs > 1) text += StrCat(", ", report.runs, " runs or files");
  text += "\n";
  for (const std::string& note : header.notes) text += StrCat("note: ", note, "\n");
  if (report.lost_entries > 0) text += StrCat("lost while recording: ", report.lost_entries, " entries\n");
  for (const std::string& damage : report.damage) text += StrCat("damaged: ", damage, "\n");
  const int64_t more = report.damage_count - static_cast<int64_t>(report.damage.size());
  if (more > 0) text += StrCat("damaged: ", more, " more places\n");
  if (report.cut) text += StrCat(*report.cut, "\n");
  return text;
}

std::string SideOf(const GuestStep& step, const std::string& guest) {
  if (const auto* decision = std::get_if<policy::Decision>(&step)) return policy::Explain(*decision, guest);
  if (const auto* plug = std::get_if<policy::PlugDecision>(&step)) return policy::Explain(*plug, guest);
  return StrCat(guest, ": nothing done");
}

std::string ChangeText(const Change& change, MonotonicTime start) {
  std::string text = StrCat("entry ", change.entry, ", after ", Seconds3(change.at - start));
  if (change.repeated > 0) text += StrCat(", and in ", change.repeated, " more");
  return StrCat(text, "\n  was:      ", SideOf(change.recorded, change.guest),
                "\n  would be: ", SideOf(change.replayed, change.guest), "\n");
}

int64_t CountOf(const RuleCounts& counts, policy::Rule rule) {
  const auto found = counts.find(rule);
  return found == counts.end() ? 0 : found->second;
}

std::string RulesText(const ReplayReport& report) {
  std::set<policy::Rule> rules;
  for (const auto& [rule, count] : report.recorded) rules.insert(rule);
  for (const auto& [rule, count] : report.replayed) rules.insert(rule);
  std::string text = "decisions by rule: recorded, replayed\n";
  for (const policy::Rule rule : rules) {
    text += StrCat("  rule ", static_cast<int>(rule), ": ", CountOf(report.recorded, rule), ", ",
                   CountOf(report.replayed, rule), "\n");
  }
  return rules.empty() ? "no decisions\n" : text;
}

std::string FirstText(const FirstFault& first) {
  const Difference& difference = first.difference;
  return StrCat("first difference: entry ", first.entry, ", ",
                difference.guest.empty() ? "host" : StrCat("guest ", difference.guest), ", ",
                difference.field, ": recorded ", difference.recorded, ", replayed ", difference.replayed,
                "\n");
}

}  // namespace

std::string TextOf(const ReplayReport& report) {
  std::string text = HeadOf(report);
  if (report.kill_count > 0) text += StrCat("OOM kills in the guests: ", report.kill_count, "\n");
  for (const std::string& kill : report.kills) text += StrCat("  ", kill, "\n");
  if (report.entries == 0) return text + "nothing to replay\n";
  text += RulesText(report);
  if (report.different_entries == 0) {
    return text + (report.same_policy ? "every decision and every history is as recorded\n"
                                      : "the other policy decides the same throughout\n");
  }
  text += StrCat(report.different_entries, " of ", report.entries, " entries differ, ",
                 report.changed_decisions, " decisions among them\n", FirstText(*report.first));
  for (const Change& change : report.changes) text += ChangeText(change, report.first_at);
  int64_t shown = 0;
  for (const Change& change : report.changes) shown += 1 + change.repeated;
  if (report.changed_decisions > shown) text += StrCat("and ", report.changed_decisions - shown, " more\n");
  return text;
}

}  // namespace ballast::replay
