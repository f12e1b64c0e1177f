#include "guest-agent/service/preface_gate.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "common/os/unique_fd.h"

namespace ballast::agent {
namespace {

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

TEST(PrefaceGate, EveryBeginningOfThePrefaceMayStillBecomeOne) {
  for (size_t size = 0; size < kPreface.size(); ++size) {
    EXPECT_EQ(JudgePreface(kPreface.substr(0, size)), PrefaceVerdict::kWait) << size;
  }
  EXPECT_EQ(JudgePreface(kPreface), PrefaceVerdict::kAdmit);
  EXPECT_EQ(JudgePreface(kPreface + "anything"), PrefaceVerdict::kAdmit);
}

TEST(PrefaceGate, OneWrongByteAnywhereIsEnough) {
  for (size_t i = 0; i < kPreface.size(); ++i) {
    std::string bytes = kPreface.substr(0, i + 1);
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
    EXPECT_EQ(JudgePreface(bytes), PrefaceVerdict::kRefuse) << i;
  }
  EXPECT_EQ(JudgePreface("GET / HTTP/1.1\r\n"), PrefaceVerdict::kRefuse);
  EXPECT_EQ(JudgePreface(std::string(1, '\0')), PrefaceVerdict::kRefuse);
}

TEST(PrefaceGate, LooksWithoutTaking) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const UniqueFd server(ends[0]);
  UniqueFd client(ends[1]);
  EXPECT_EQ(PeekPreface(server.Get()), PrefaceVerdict::kWait);
  ASSERT_EQ(::write(client.Get(), kPreface.data(), 10), 10);
  EXPECT_EQ(PeekPreface(server.Get()), PrefaceVerdict::kWait);
  ASSERT_EQ(::write(client.Get(), kPreface.data() + 10, 14), 14);
  EXPECT_EQ(PeekPreface(server.Get()), PrefaceVerdict::kAdmit);
  char bytes[64];
  EXPECT_EQ(::read(server.Get(), bytes, sizeof bytes), 24);
  client.Reset();
  EXPECT_EQ(PeekPreface(server.Get()), PrefaceVerdict::kRefuse);
}

}  // namespace
}  // namespace ballast::agent
