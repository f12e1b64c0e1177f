// The options of the commands that run worlds: how many, from which seed on, on how many threads.
#pragma once

#include <boost/program_options.hpp>

#include "absl/status/statusor.h"
#include "host-bridge/lab/report/comparison.h"

namespace ballast::sim {

void AddEffortOptions(boost::program_options::options_description& options, int default_seeds);

// Errors: InvalidArgument naming the option.
[[nodiscard]] absl::StatusOr<Effort> EffortOf(const boost::program_options::variables_map& given);

}  // namespace ballast::sim
