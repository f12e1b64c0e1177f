#include "tests/host-bridge/lab/calibration/recording.h"

#include <array>
#include <charconv>
#include <cstdlib>
#include <map>

#include "absl/strings/str_split.h"
#include "common/base/text.h"

namespace ballast::calibration {
namespace {

constexpr std::string_view kMagic = "ballast-calibration 1";
constexpr std::array kColumns = {&Sample::t_ms,     &Sample::balloon_kib,   &Sample::total_kib,
                                 &Sample::free_kib, &Sample::available_kib, &Sample::file_kib,
                                 &Sample::anon_kib, &Sample::swapped_kib,   &Sample::refaulted_pages,
                                 &Sample::some_us,  &Sample::oom_kills};

std::vector<std::string> Words(std::string_view line) {
  return absl::StrSplit(ToAbsl(line), ' ', absl::SkipEmpty());
}

bool ReadNumber(const std::string& word, int64_t& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc{} && end == word.data() + word.size() && number >= 0;
}

// The numbers in words[from..]; false when one is none.
bool ReadNumbers(const std::vector<std::string>& words, size_t from, std::vector<int64_t>& numbers) {
  for (size_t i = from; i < words.size(); ++i) {
    if (!ReadNumber(words[i], numbers.emplace_back())) return false;
  }
  return true;
}

bool ReadStep(const std::vector<std::string>& words, Step& step) {
  std::vector<int64_t> numbers;
  if (words.size() < 4 || !ReadNumber(words[1], step.at_ms) || !ReadNumbers(words, 3, numbers)) return false;
  step.is_balloon = words[2] == "balloon";
  if (step.is_balloon) {
    step.balloon_bytes = numbers[0];
    return numbers.size() == 1;
  }
  if (words[2] != "programs" || numbers.size() != 5) return false;
  step.programs.anon_bytes = numbers[0];
  step.programs.anon_bytes_per_second = numbers[1];
  step.programs.hot_cache_bytes = numbers[2];
  step.programs.hot_reads_bytes_per_second = numbers[3];
  step.programs.cold_reads_bytes_per_second = numbers[4];
  return true;
}

// A line "key value"; false when it is none that is known.
bool ReadFact(std::string_view line, const std::vector<std::string>& words, Recording& recording) {
  const std::string& key = words.front();
  const std::string rest(line.substr(std::min(line.size(), key.size() + 1)));
  const std::map<std::string, std::string*> texts = {{"story", &recording.story},
                                                     {"about", &recording.about},
                                                     {"kernel", &recording.kernel},
                                                     {"accelerator", &recording.accelerator}};
  if (const auto text = texts.find(key); text != texts.end()) {
    *text->second = rest;
    return !rest.empty();
  }
  int64_t number = 0;
  if (words.size() != 2 || !ReadNumber(words[1], number)) return false;
  if (key == "memory_bytes") {
    recording.memory_bytes = number;
  } else if (key == "deflate_on_oom") {
    recording.deflate_on_oom = number != 0;
  } else if (key == "zram_bytes") {
    recording.zram_bytes = number;
  } else {
    return false;
  }
  return true;
}

bool ReadLine(std::string_view line, Recording& recording) {
  const std::vector<std::string> words = Words(line);
  if (words.empty() || words.front().front() == '#') return true;
  if (words.front() == "step") return ReadStep(words, recording.steps.emplace_back());
  if (words.front().front() < '0' || words.front().front() > '9') return ReadFact(line, words, recording);
  const absl::StatusOr<Sample> sample = ParseSample(line);
  if (!sample.ok()) return false;
  recording.samples.push_back(*sample);
  return true;
}

template <typename T, typename Time>
bool IsOrdered(const std::vector<T>& list, Time time) {
  for (size_t i = 1; i < list.size(); ++i) {
    if (list[i].*time < list[i - 1].*time) return false;
  }
  return true;
}

std::string StepLine(const Step& step) {
  if (step.is_balloon) return StrCat("step ", step.at_ms, " balloon ", step.balloon_bytes, "\n");
  const sim::Segment& p = step.programs;
  return StrCat("step ", step.at_ms, " programs ", p.anon_bytes, " ", p.anon_bytes_per_second, " ",
                p.hot_cache_bytes, " ", p.hot_reads_bytes_per_second, " ", p.cold_reads_bytes_per_second,
                "\n");
}

bool SaysNews(const Sample& last, const Sample& sample) {
  constexpr int64_t kMuchKib = 16 * 1024;
  return sample.refaulted_pages != last.refaulted_pages || sample.some_us != last.some_us ||
         sample.oom_kills != last.oom_kills || std::abs(sample.balloon_kib - last.balloon_kib) > kMuchKib ||
         std::abs(sample.anon_kib - last.anon_kib) > kMuchKib;
}

}  // namespace

absl::StatusOr<Sample> ParseSample(std::string_view line) {
  std::vector<int64_t> numbers;
  if (!ReadNumbers(Words(line), 0, numbers) || numbers.size() != kColumns.size()) {
    return absl::InvalidArgumentError(StrCat("no sample: '", line, "'"));
  }
  Sample sample;
  for (size_t i = 0; i < kColumns.size(); ++i) sample.*kColumns[i] = numbers[i];
  return sample;
}

absl::StatusOr<Recording> ParseRecording(std::string_view text) {
  Recording recording;
  int number = 0;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(ToAbsl(text), '\n'))) {
    ++number;
    if (number == 1 ? line != kMagic : !ReadLine(line, recording)) {
      return absl::InvalidArgumentError(StrCat("line ", number, ": '", line, "'"));
    }
  }
  if (recording.story.empty() || recording.memory_bytes <= 0 || recording.samples.size() < 2) {
    return absl::InvalidArgumentError("a recording needs a story, memory_bytes and two samples");
  }
  if (!IsOrdered(recording.steps, &Step::at_ms) || !IsOrdered(recording.samples, &Sample::t_ms)) {
    return absl::InvalidArgumentError("times go backwards");
  }
  return recording;
}

std::string FormatRecording(const Recording& recording) {
  std::string text = StrCat(kMagic, "\nstory ", recording.story, "\nabout ", recording.about, "\nkernel ",
                            recording.kernel, "\naccelerator ", recording.accelerator, "\nmemory_bytes ",
                            recording.memory_bytes, "\ndeflate_on_oom ", recording.deflate_on_oom ? 1 : 0,
                            "\nzram_bytes ", recording.zram_bytes, "\n");
  for (const Step& step : recording.steps) text += StepLine(step);
  text +=
      "# t_ms, then KiB: balloon total free available file anon swapped; refaulted pages, some us, kills\n";
  for (const Sample& sample : recording.samples) {
    std::string line;
    for (const auto column : kColumns) line += StrCat(line.empty() ? "" : " ", sample.*column);
    text += line + "\n";
  }
  return text;
}

std::vector<Sample> Thinned(const std::vector<Sample>& samples, int64_t quiet_ms) {
  std::vector<Sample> kept;
  for (const Sample& sample : samples) {
    const bool edge = kept.empty() || &sample == &samples.back();
    if (edge || sample.t_ms - kept.back().t_ms >= quiet_ms || SaysNews(kept.back(), sample)) {
      kept.push_back(sample);
    }
  }
  return kept;
}

}  // namespace ballast::calibration
