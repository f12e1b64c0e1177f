// What a real guest did in one story, as text: the guest, the steps of the story, and samples of its memory.
// tests/lab/calibration writes recordings, the comparison here plays their steps to the simulator's guest.
//
//   ballast-calibration 1
//   story NAME                      also the file's name
//   about WORDS
//   kernel RELEASE
//   accelerator tcg|kvm
//   memory_bytes N                  the guest's boot memory
//   deflate_on_oom 0|1
//   zram_bytes N                    0: no swap
//   step AT_MS balloon BYTES        the host asks for a balloon of so many bytes
//   step AT_MS programs ANON ANON_RATE HOT HOT_RATE COLD_RATE
//                                   what programs want from now on, beyond what is held at rest: bytes and
//                                   bytes per second, as in sim::Segment
//   SAMPLE...                       eleven numbers, see Sample
//
// Times are milliseconds since the first sample. Lines beginning with '#' are comments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "host-bridge/lab/model/workload.h"

namespace ballast::calibration {

struct Step {
  int64_t at_ms = 0;
  bool is_balloon = false;
  int64_t balloon_bytes = 0;  // when is_balloon
  sim::Segment programs;      // otherwise

  friend bool operator==(const Step&, const Step&) = default;
};

// One line of a recording, in this order. Counters count since the guest booted.
struct Sample {
  int64_t t_ms = 0;
  int64_t balloon_kib = 0;
  int64_t total_kib = 0;      // MemTotal
  int64_t free_kib = 0;       // MemFree
  int64_t available_kib = 0;  // MemAvailable
  int64_t file_kib = 0;       // reclaimable page cache: Active(file) + Inactive(file)
  int64_t anon_kib = 0;       // AnonPages
  int64_t swapped_kib = 0;
  int64_t refaulted_pages = 0;  // workingset_refault_file
  int64_t some_us = 0;          // PSI memory "some"
  int64_t oom_kills = 0;

  friend bool operator==(const Sample&, const Sample&) = default;
};

struct Recording {
  std::string story;
  std::string about;
  std::string kernel;
  std::string accelerator;
  int64_t memory_bytes = 0;
  bool deflate_on_oom = false;
  int64_t zram_bytes = 0;
  std::vector<Step> steps;      // in order of time
  std::vector<Sample> samples;  // in order of time, the first at 0

  friend bool operator==(const Recording&, const Recording&) = default;
};

// INVALID_ARGUMENT names the line. A recording has a story, a memory size and at least two samples.
[[nodiscard]] absl::StatusOr<Recording> ParseRecording(std::string_view text);
[[nodiscard]] std::string FormatRecording(const Recording& recording);

// Eleven numbers in a line; INVALID_ARGUMENT otherwise.
[[nodiscard]] absl::StatusOr<Sample> ParseSample(std::string_view line);

// Leaves out samples that say nothing new: those within `quiet_ms` after one that is kept, unless a counter
// moved, or balloon or programs by more than 16 MiB. The first and the last stay.
[[nodiscard]] std::vector<Sample> Thinned(const std::vector<Sample>& samples, int64_t quiet_ms);

}  // namespace ballast::calibration
