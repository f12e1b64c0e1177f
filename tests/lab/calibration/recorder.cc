#include "tests/lab/calibration/recorder.h"

#include <memory>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/accelerator.h"
#include "tests/lab/guest.h"

namespace ballast::lab {
namespace {

using calibration::Recording;
using calibration::Sample;

constexpr absl::Duration kSampleStart = absl::Milliseconds(300);  // shell and sampler, emulated
constexpr int64_t kQuietMs = 100;

absl::StatusOr<std::vector<Sample>> ParseSamples(const std::string& text) {
  std::vector<Sample> samples;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n', absl::SkipEmpty()))) {
    absl::StatusOr<Sample> sample = calibration::ParseSample(line);
    if (!sample.ok()) return sample.status();
    samples.push_back(*sample);
  }
  if (samples.empty()) return absl::DataLossError("the sampler said nothing");
  return samples;
}

// The guest's clock when the host's shows zero, in ms. A sample is taken in the middle of its round trip; the
// quickest of several is nearest to that.
absl::StatusOr<int64_t> GuestClockOffset(Guest& guest, absl::Time host_zero) {
  absl::Duration quickest = absl::InfiniteDuration();
  int64_t offset = 0;
  for (int i = 0; i < 8; ++i) {
    const absl::Time before = absl::Now();
    const absl::StatusOr<ExecResult> answer = guest.Exec("lab-guest sample");
    const absl::Time after = absl::Now();
    if (!answer.ok()) return answer.status();
    const absl::StatusOr<std::vector<Sample>> samples = ParseSamples(answer->output);
    if (!samples.ok()) return samples.status();
    if (after - before >= quickest) continue;
    quickest = after - before;
    const absl::Time middle = before + quickest / 2;
    offset = samples->front().t_ms - absl::ToInt64Milliseconds(middle - host_zero);
  }
  return offset;
}

absl::Status Play(Guest& guest, const StoryStep& step, std::vector<GuestCommand>& running) {
  if (step.step.is_balloon) {
    const int64_t visible = guest.options().memory_mib * kMiB - step.step.balloon_bytes;
    return guest.Qmp("balloon", {{"value", visible}}).status();
  }
  absl::StatusOr<GuestCommand> command = guest.ExecAsync(step.command);
  if (!command.ok()) return command.status();
  running.push_back(std::move(*command));
  return absl::OkStatus();
}

absl::StatusOr<Recording> Describe(Guest& guest, const Story& story) {
  Recording recording;
  recording.story = story.name;
  recording.about = story.about;
  const absl::StatusOr<ExecResult> kernel = guest.Exec("uname -r");
  if (!kernel.ok()) return kernel.status();
  recording.kernel = std::string(absl::StripSuffix(kernel->output, "\n"));
  const absl::StatusOr<Assets> assets = FindAssets();
  if (!assets.ok()) return assets.status();
  const absl::StatusOr<std::string> accelerator = ChooseAccelerator(*assets);
  if (!accelerator.ok()) return accelerator.status();
  recording.accelerator = *accelerator;
  recording.memory_bytes = story.guest.memory_mib * kMiB;
  recording.deflate_on_oom = story.guest.deflate_on_oom;
  recording.zram_bytes = story.guest.zram_mib * kMiB;
  return recording;
}

}  // namespace

absl::StatusOr<Recording> Record(const Story& story) {
  const absl::StatusOr<std::unique_ptr<Guest>> booted = Guest::Boot(story.guest);
  if (!booted.ok()) return booted.status();
  Guest& guest = **booted;
  absl::StatusOr<Recording> recording = Describe(guest, story);
  if (!recording.ok()) return recording.status();
  const absl::Time host_zero = absl::Now();
  const absl::StatusOr<int64_t> offset = GuestClockOffset(guest, host_zero);
  if (!offset.ok()) return offset.status();
  absl::StatusOr<GuestCommand> sampler = guest.ExecAsync(
      StrCat("lab-guest sample --period-ms ", story.period_ms, " --length-ms ", story.length_ms));
  if (!sampler.ok()) return sampler.status();
  const absl::Time story_zero = absl::Now() + kSampleStart;
  std::vector<GuestCommand> running;  // ended with the guest
  for (const StoryStep& step : story.steps) {
    absl::SleepFor(story_zero + absl::Milliseconds(step.step.at_ms) - absl::Now());
    recording->steps.push_back(step.step);
    recording->steps.back().at_ms = absl::ToInt64Milliseconds(absl::Now() - host_zero) + *offset;
    if (absl::Status played = Play(guest, step, running); !played.ok()) return played;
  }
  // A guest that is short of memory may take long to end the sampler.
  const absl::StatusOr<ExecResult> sampled =
      sampler->Wait(absl::Milliseconds(story.length_ms) + absl::Seconds(60));
  if (!sampled.ok()) return WithContext(guest.SerialLog(), sampled.status());
  absl::StatusOr<std::vector<Sample>> samples = ParseSamples(sampled->output);
  if (!samples.ok()) return samples.status();
  const int64_t zero = samples->front().t_ms;
  for (Sample& sample : *samples) sample.t_ms -= zero;
  for (calibration::Step& step : recording->steps) step.at_ms -= zero;
  recording->samples = calibration::Thinned(*samples, kQuietMs);
  return recording;
}

}  // namespace ballast::lab
