// From a story in which something is wrong to a small one in which it still is.
#pragma once

#include <functional>

#include "tests/host-bridge/policy/property_story.h"

namespace ballast::policy {

// Whether it is still wrong. Called often; must say the same of the same story.
using StillFails = std::function<bool(const Story&)>;

// Greedy to a fixed point: fewer looks, guests and holds, then fewer and rounder numbers. `fails(story)`
// holds before and for the result. Stops early after `most_tries` calls.
[[nodiscard]] Story Shrink(Story story, const StillFails& fails, int64_t most_tries = 50'000);

}  // namespace ballast::policy
