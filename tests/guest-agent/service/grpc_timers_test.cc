#include "guest-agent/service/grpc_timers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/guest-agent/service/agent_fixture.h"

namespace ballast::agent {
namespace {

// The thread of gRPC's library for its timers, by the name it gives it.
bool HasTimerThread() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::any_of(begin(tasks), end(tasks), [](const auto& task) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    return name == "grpc_global_tim";
  });
}

using GrpcTimersTest = AgentFixture;

TEST_F(GrpcTimersTest, AreTakenOverAndGivenBack) {
  ASSERT_TRUE(Watch()->Next().has_hello());
  ASSERT_TRUE(HasTimerThread());
  {
    GrpcTimers timers;
    EXPECT_TRUE(Eventually([] { return !HasTimerThread(); }));
    timers.RunDue();
    EXPECT_TRUE(Watch()->Next().has_hello()) << "the agent serves all the same";
    EXPECT_FALSE(HasTimerThread());
  }
  EXPECT_TRUE(Eventually(HasTimerThread));
}

}  // namespace
}  // namespace ballast::agent
