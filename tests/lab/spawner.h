// The thread that forks. See child_process.h for why there is exactly one.
#pragma once

#include <functional>

namespace ballast::lab {

// Runs `work` on the forking thread and waits for it.
void RunOnForkingThread(const std::function<void()>& work);

}  // namespace ballast::lab
