#include "tests/host-bridge/lab/calibration/comparison.h"

#include <cmath>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/host-bridge/lab/calibration/replay.h"

namespace ballast::calibration {
namespace {

std::string MachineOf(const Recording& recording) {
  const sim::DeviceSpec device = DeviceOf(recording);
  return absl::StrFormat(
      "%d MiB, deflate-on-oom %s, zram %d MiB, Linux %s, %s; balloon takes %d and gives %d MiB/s",
      recording.memory_bytes / kMiB, recording.deflate_on_oom ? "on" : "off", recording.zram_bytes / kMiB,
      recording.kernel, recording.accelerator, device.take_bytes_per_second / kMiB,
      device.give_bytes_per_second / kMiB);
}

// "+4.2 %"; of a measured zero nothing can be said in percent.
std::string ErrorOf(const Row& row) {
  if (row.measured == 0) return row.modelled == 0 ? "0 %" : "-";
  return absl::StrFormat("%+.1f %%", (row.modelled - row.measured) / std::abs(row.measured) * 100);
}

}  // namespace

bool Row::holds() const { return !allowed || std::abs(modelled - measured) <= *allowed; }

StoryComparison Compare(const Recording& recording) {
  const std::vector<Sample> replayed = Replay(recording);
  const Series real(recording.steps, recording.samples);
  const Series model(recording.steps, replayed);
  StoryComparison comparison{StrCat(recording.story, ": ", recording.about), MachineOf(recording), {}};
  for (const Measure& measure : MeasuresOf(recording.story)) {
    comparison.rows.push_back(
        {measure.what, measure.unit, measure.of(real), measure.of(model), measure.allowed, measure.reason});
  }
  return comparison;
}

std::string TextOf(const StoryComparison& comparison) {
  std::string text = StrCat(comparison.title, "\n  ", comparison.machine, "\n");
  text += absl::StrFormat("  %-37s %-5s %8s %8s %9s %7s  %s\n", "", "", "measured", "modelled", "error",
                          "allowed", "because");
  for (const Row& row : comparison.rows) {
    const std::string allowed = row.allowed ? absl::StrFormat("%.2f", *row.allowed) : "any";
    text += absl::StrFormat("%c %-37s %-5s %8.2f %8.2f %9s %7s  %s\n", row.holds() ? ' ' : '!', row.what,
                            row.unit, row.measured, row.modelled, ErrorOf(row), allowed, row.reason);
  }
  return text;
}

std::string ReportOf(const std::vector<Recording>& recordings) {
  std::string text(
      "Stories of real guests (measured) beside what the simulator's guest makes of them (modelled). Made "
      "by\n"
      "  calibration-table tests/host-bridge/lab/calibration/recordings/*.txt\n"
      "docs/simulator.md says how. '!' marks an answer that is further off than allowed.\n");
  for (const Recording& recording : recordings) text += "\n" + TextOf(Compare(recording));
  return text;
}

}  // namespace ballast::calibration
