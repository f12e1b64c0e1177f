// The matrix of OOM kills: what is done to a guest, what the agent shall say about it, and what it said.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "ballast/guest/v1/guest_agent.pb.h"
#include "tests/lab/agent_watch.h"
#include "tests/lab/guest.h"

namespace ballast::lab {

enum class Shortage {
  kGlobal,         // more than the guest has
  kLimit,          // more than a cgroup's memory.max
  kNodes,          // more than the nodes of a cpuset hold; needs two nodes
  kThreads,        // more than the guest has, by threads of a process whose first one has ended
  kTogether,       // three processes of a cgroup that is killed as a group
  kBehindBalloon,  // more than the balloon leaves, less than the guest has
};
[[nodiscard]] std::string NameOf(Shortage shortage);
// How many processes it kills. All else in the guest stays as it was.
[[nodiscard]] int64_t KillsOf(Shortage shortage);
// For a shell in the guest. It prints the victims' process ids, one a line, before it needs any memory.
[[nodiscard]] std::string CommandFor(Shortage shortage, int64_t guest_mib);

// What a verdict says, in the words of the table: "guest none 104".
[[nodiscard]] std::string Attribution(const guest::v1::OomVerdict& verdict);
// What it should say of this victim; of those that only die with it the log does not tell the cgroup.
[[nodiscard]] std::string Expectation(Shortage shortage, guest::v1::Source source, const std::string& pid,
                                      bool chosen);

[[nodiscard]] std::string NameOf(guest::v1::Source source);
// The agent's arguments that leave it this source at best.
[[nodiscard]] std::string ArgumentsFor(guest::v1::Source source);
// The agent anew with these arguments; the old one is gone when it returns.
[[nodiscard]] absl::Status RestartAgent(Guest& guest, const std::string& arguments);

// One line of the table.
struct OomRow {
  std::string where;     // kernel and guest
  std::string what;      // source and shortage
  std::string expected;  // sorted, one a kill
  std::string attributed;
  [[nodiscard]] bool IsRight() const { return expected == attributed; }
};
[[nodiscard]] std::string TableOf(const std::vector<OomRow>& rows);

}  // namespace ballast::lab
