// gRPC's timers in an agent that runs them itself.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/transport/socket.h"
#include "tests/process/rig.h"

namespace ballast::process {
namespace {

std::vector<std::string> ThreadNames(pid_t pid) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& task : std::filesystem::directory_iterator(StrCat("/proc/", pid, "/task"), ignored))
    names.push_back(lab::ReadWholeFile((task.path() / "comm").string()));
  return names;
}

bool HasTimerThread(pid_t pid) {
  const std::vector<std::string> names = ThreadNames(pid);
  return std::find(names.begin(), names.end(), "grpc_global_tim\n") != names.end();
}

// gRPC's threads are there by then.
void StartAndWait(Rig& rig) {
  rig.StartAgent();
  const absl::Time end = absl::Now() + absl::Seconds(20);
  while (rig.Agent().Log().find(" serves ") == std::string::npos) {
    ASSERT_LT(absl::Now(), end) << rig.Agent().Log();
    absl::SleepFor(absl::Milliseconds(10));
  }
}

TEST(GrpcTimers, HaveNoThreadThatWakesForNothing) {
  Rig rig;
  ASSERT_NO_FATAL_FAILURE(StartAndWait(rig));
  const absl::Time end = absl::Now() + absl::Seconds(10);
  while (HasTimerThread(rig.Agent().pid()) && absl::Now() < end) absl::SleepFor(absl::Milliseconds(20));
  EXPECT_FALSE(HasTimerThread(rig.Agent().pid()));
  EXPECT_GT(ThreadNames(rig.Agent().pid()).size(), 2u);
  EXPECT_TRUE(rig.StopAgent());
}

// It said that it speaks HTTP/2 and then fell silent, as a guest's peer does that was restored from a
// snapshot.
TEST(GrpcTimers, ASilentPeerIsStillFoundOut) {
  Rig rig;
  ASSERT_NO_FATAL_FAILURE(StartAndWait(rig));
  auto peer = StartConnectUnix(rig.AgentSocket());
  ASSERT_TRUE(peer.ok()) << peer.status();
  const std::string hello("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  ASSERT_EQ(::send(peer->Get(), hello.data(), hello.size(), MSG_NOSIGNAL), 33);
  const absl::Time end = absl::Now() + absl::Seconds(60);
  ssize_t got = 1;
  while (got != 0 && absl::Now() < end) {
    pollfd ready{peer->Get(), POLLIN, 0};
    ASSERT_GE(::poll(&ready, 1, 1000), 0);
    char bytes[4096];
    got = ready.revents != 0 ? ::recv(peer->Get(), bytes, sizeof bytes, MSG_DONTWAIT) : 1;
  }
  EXPECT_EQ(got, 0) << "the agent did not hang up";
  EXPECT_TRUE(rig.StopAgent());
}

}  // namespace
}  // namespace ballast::process
