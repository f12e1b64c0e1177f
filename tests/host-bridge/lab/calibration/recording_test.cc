#include "tests/host-bridge/lab/calibration/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/text.h"

namespace ballast::calibration {
namespace {

Recording Small() {
  Recording recording;
  recording.story = "small";
  recording.about = "two steps, two samples";
  recording.kernel = "6.1.0";
  recording.accelerator = "tcg";
  recording.memory_bytes = 1 << 30;
  recording.deflate_on_oom = true;
  recording.zram_bytes = 1 << 20;
  recording.steps.push_back({.at_ms = 5, .is_balloon = true, .balloon_bytes = 4096, .programs = {}});
  recording.steps.push_back({.at_ms = 7,
                             .is_balloon = false,
                             .balloon_bytes = 0,
                             .programs = {.anon_bytes = 1,
                                          .anon_bytes_per_second = 2,
                                          .hot_cache_bytes = 3,
                                          .hot_reads_bytes_per_second = 4,
                                          .cold_reads_bytes_per_second = 5}});
  recording.samples = {{.t_ms = 0, .total_kib = 1000}, {.t_ms = 10, .balloon_kib = 4, .oom_kills = 1}};
  return recording;
}

TEST(Recording, ComesBackAsItWasWritten) {
  const auto read = ParseRecording(FormatRecording(Small()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, Small());
}

TEST(Recording, FaultsNameTheirLine) {
  const std::string good = FormatRecording(Small());
  EXPECT_FALSE(ParseRecording("").ok());
  EXPECT_THAT(ParseRecording("ballast-calibration 2\n").status().message(), testing::HasSubstr("line 1"));
  for (const std::string line : {"1 2 3", "step 5 balloon", "step 5 plug 1", "step x balloon 1", "colour red",
                                 "memory_bytes -1", "0 0 0 0 0 0 0 0 0 0 x", "0 0 0 0 0 0 0 0 0 0 0 0"}) {
    EXPECT_THAT(ParseRecording(good + line + "\n").status().message(), testing::HasSubstr(line)) << line;
  }
}

TEST(Recording, TimesDoNotGoBack) {
  Recording recording = Small();
  std::swap(recording.steps[0], recording.steps[1]);
  EXPECT_FALSE(ParseRecording(FormatRecording(recording)).ok());
  recording = Small();
  std::swap(recording.samples[0], recording.samples[1]);
  EXPECT_FALSE(ParseRecording(FormatRecording(recording)).ok());
}

TEST(Recording, ThinningKeepsWhatSaysSomething) {
  std::vector<Sample> samples;
  for (int64_t t_ms = 0; t_ms < 1'000; t_ms += 10) samples.push_back({.t_ms = t_ms});
  for (size_t i = 50; i < samples.size(); ++i) samples[i].oom_kills = 1;
  for (size_t i = 75; i < samples.size(); ++i) samples[i].balloon_kib = 20 * 1024;
  std::vector<int64_t> kept;
  for (const Sample& sample : Thinned(samples, 400)) kept.push_back(sample.t_ms);
  EXPECT_EQ(kept, (std::vector<int64_t>{0, 400, 500, 750, 990}));
}

}  // namespace
}  // namespace ballast::calibration
