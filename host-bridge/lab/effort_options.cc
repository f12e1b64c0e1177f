#include "host-bridge/lab/effort_options.h"

#include <limits>

#include "host-bridge/lab/command_line.h"

namespace ballast::sim {

namespace po = boost::program_options;

// A result of each is kept in memory.
constexpr int64_t kMostSeeds = 1'000'000;
// More than any machine has, and few enough to start.
constexpr int64_t kMostThreads = 4096;

// Signed, all of them: of an unsigned number the library reads "-1" as the largest.
void AddEffortOptions(po::options_description& options, int default_seeds) {
  options.add_options()                                                                                 //
      ("seeds", po::value<int64_t>()->default_value(default_seeds), "worlds of each scenario")          //
      ("seed", po::value<int64_t>()->default_value(1), "the first world's seed; the others follow it")  //
      ("threads", po::value<int64_t>()->default_value(0), "0: one a core; the results do not depend on it");
}

absl::StatusOr<Effort> EffortOf(const po::variables_map& given) {
  const auto seeds = given["seeds"].as<int64_t>();
  const auto seed = given["seed"].as<int64_t>();
  const auto threads = given["threads"].as<int64_t>();
  if (auto status = CheckWithin("seeds", seeds, 1, kMostSeeds); !status.ok()) return status;
  if (auto status = CheckWithin("seed", seed, 0, std::numeric_limits<int64_t>::max() - seeds); !status.ok())
    return status;
  if (auto status = CheckWithin("threads", threads, 0, kMostThreads); !status.ok()) return status;
  Effort effort;
  effort.first_seed = static_cast<uint64_t>(seed);
  effort.seeds = static_cast<int>(seeds);
  effort.threads = static_cast<unsigned>(threads);
  return effort;
}

}  // namespace ballast::sim
