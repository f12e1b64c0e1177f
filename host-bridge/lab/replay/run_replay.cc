#include "host-bridge/lab/replay/run_replay.h"

#include "common/base/text.h"
#include "host-bridge/lab/replay/replay_text.h"

namespace ballast::replay {

int RunReplay(const ReplayOptions& options, std::ostream& out, std::ostream& err) {
  constexpr int kUnreadable = 2;
  auto journal = record::JournalStream::Open(options.journal);
  if (!journal.ok()) {
    err << MessageOf(journal.status()) << "\n";
    return kUnreadable;
  }
  const auto report = Replay(*journal, options.request);
  if (!report.ok()) {
    err << options.journal << ": " << MessageOf(report.status()) << "\n";
    return kUnreadable;
  }
  out << TextOf(*report);
  if (report->damage_count > 0) {
    err << options.journal << ": " << report->damage_count << " place(s) could not be read\n";
    return kUnreadable;
  }
  return report->same_policy && report->different_entries > 0 ? 1 : 0;
}

}  // namespace ballast::replay
