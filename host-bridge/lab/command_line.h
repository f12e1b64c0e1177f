// What the commands of ballast-lab share: options, errors, exit codes.
#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ballast::sim {

inline constexpr int kExitOk = 0;
inline constexpr int kExitMissed = 1;  // an expectation was missed, or a decision not repeated
inline constexpr int kExitUsage = 2;   // a wrong argument or file

// Arguments of one command, without its name. `positional` is the option that takes the words without "--";
// empty: none may be there. Errors: InvalidArgument that says which argument is wrong.
[[nodiscard]] absl::StatusOr<boost::program_options::variables_map> ParseArguments(
    const std::vector<std::string>& arguments, const boost::program_options::options_description& options,
    const std::string& positional);

// The usage line, what the command does, its options and the exit codes.
[[nodiscard]] std::string HelpText(std::string_view usage, std::string_view purpose,
                                   const boost::program_options::options_description& options);

// "ballast-lab compare --seeds 100", quoted where a shell needs it.
[[nodiscard]] std::string CommandLineText(std::string_view command,
                                          const std::vector<std::string>& arguments);

// A whole number of least..most.
[[nodiscard]] absl::Status CheckWithin(std::string_view option, int64_t value, int64_t least, int64_t most);

[[nodiscard]] absl::Status WriteFile(const std::string& path, std::string_view text);

}  // namespace ballast::sim
