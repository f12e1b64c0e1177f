// Plays a recording's story to the simulator's guest and samples it as the real one was sampled.
#pragma once

#include <vector>

#include "host-bridge/lab/model/device.h"
#include "tests/host-bridge/lab/calibration/recording.h"

namespace ballast::calibration {

// The machine's own speeds, read off the recording: of the first inflation and of the first deflation on
// command, up to the middle of their way and while free memory is plenty. What was never seen keeps its
// default. How fast an emulated balloon is says nothing about the kernel in front of it, so this is a
// parameter of the comparison and none of its results.
[[nodiscard]] sim::DeviceSpec DeviceOf(const Recording& recording);

// What is in use at rest is taken from the recording too (the lab's root file system lies in memory): it is
// held by the model's programs for as long as the story lasts. Programs fill memory as fast as the real ones
// did while there was plenty of it.
[[nodiscard]] std::vector<Sample> Replay(const Recording& recording);

}  // namespace ballast::calibration
