// Spreads independent jobs over the cores.
#pragma once

#include <cstddef>
#include <functional>

namespace ballast::sim {

// Calls work(0) .. work(jobs - 1) once each, on `threads` threads (0: one a core), and returns when all are
// done. Their order is nobody's to rely on: each job writes to a place of its own. Jobs do not throw.
void ForEach(size_t jobs, unsigned threads, const std::function<void(size_t)>& work);

}  // namespace ballast::sim
