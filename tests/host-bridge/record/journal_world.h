// Journals of small worlds for tests, written by the real recorder.
#pragma once

#include <string>
#include <vector>

#include "host-bridge/policy/decide.h"
#include "host-bridge/record/journal_stream.h"
#include "host-bridge/record/recorder.h"
#include "tests/host-bridge/policy/world.h"

namespace ballast::record {

struct ReadJournal {
  std::vector<RecordedEntry> entries;
  std::vector<std::string> damage;
  std::vector<uint64_t> gaps;
  int headers = 0;
  std::optional<std::string> cut;
  JournalHeader header;
};

inline ReadJournal ReadJournalAt(const std::string& path) {
  ReadJournal journal;
  auto stream = JournalStream::Open(path);
  if (!stream.ok()) {
    journal.damage.emplace_back(stream.status().message());
    return journal;
  }
  using Step = JournalStream::Step;
  for (Step step = stream->Next(); step != Step::kEnd; step = stream->Next()) {
    if (step == Step::kEntry) journal.entries.push_back(stream->entry());
    if (step == Step::kDamage) journal.damage.push_back(stream->damage());
    if (step == Step::kGap) journal.gaps.push_back(stream->lost_entries());
    if (step == Step::kHeader) ++journal.headers;
  }
  journal.header = stream->header();
  journal.cut = stream->cut();
  return journal;
}

inline RecorderOptions RecorderAt(const std::string& path) {
  RecorderOptions options;
  options.file.path = path;
  options.header.ballast_version = "test";
  options.header.guests = {"web"};
  return options;
}

// A guest that is fine, runs short at the 10th second and is helped, `seconds` long. What was decided on is
// returned.
inline std::vector<RecordedEntry> PlayWorld(int seconds, Recorder* recorder) {
  policy::World world;
  world.With(policy::Guest("web").Balloon(768 * kMiB).Available(200 * kMiB));
  std::vector<RecordedEntry> played;
  for (int second = 0; second < seconds; ++second) {
    if (second == 10) world.Report("web").available_bytes = 8 * kMiB;
    RecordedEntry entry{world.now, world.snapshot, {}};
    entry.outcome = world.Tick();
    if (recorder != nullptr) recorder->Record(entry.snapshot, entry.now, entry.outcome);
    world.Obey(entry.outcome);
    world.Later(Seconds(1));
    played.push_back(std::move(entry));
  }
  return played;
}

}  // namespace ballast::record
