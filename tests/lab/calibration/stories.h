// The stories that are played to real guests to be compared with the simulator's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/host-bridge/lab/calibration/recording.h"
#include "tests/lab/qemu_command.h"

namespace ballast::lab {

// One thing that happens: the host sets a balloon, or programs start in the guest.
struct StoryStep {
  calibration::Step step;
  std::string command;  // what `step.programs` is in a real guest; empty for a balloon
};

struct Story {
  std::string name;
  std::string about;
  GuestOptions guest;
  int64_t length_ms = 0;
  int64_t period_ms = 0;  // between samples
  std::vector<StoryStep> steps;
};

[[nodiscard]] std::vector<Story> AllStories();

}  // namespace ballast::lab
