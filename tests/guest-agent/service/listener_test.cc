// Peers that mean no good, or none at all: none of them may disturb a healthy watcher.
#include "guest-agent/service/listener.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "common/base/text.h"
#include "common/os/file_reader.h"
#include "common/transport/socket.h"
#include "tests/guest-agent/service/agent_fixture.h"

namespace ballast::agent {
namespace {

const std::string kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const std::string kEmptySettings("\0\0\0\4\0\0\0\0\0", 9);

class ListenerTest : public AgentFixture {
 protected:
  void Configure(Listener::Options& options) override { options.preface_deadline = Milliseconds(300); }

  static void Send(const UniqueFd& fd, const std::string& bytes) {
    // Ignoring a failure: the agent may have hung up already, which is what the tests are about.
    [[maybe_unused]] const ssize_t n = ::send(fd.Get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // True when the agent closed the connection within 10 s.
  static bool IsClosed(const UniqueFd& fd) {
    return Eventually([&] {
      char bytes[4096];
      ssize_t n = 0;
      while ((n = ::recv(fd.Get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
      }
      return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    });
  }
  void ExpectServed() {
    const auto watch = Watch();
    EXPECT_TRUE(watch->Next().has_hello());
  }
};

TEST(IsWelcome, OnlyTheHostOverVsock) {
  const auto peer = [](std::optional<uint32_t> cid) {
    Peer p;
    p.cid = cid;
    return p;
  };
  EXPECT_TRUE(IsWelcome(peer(2), true));
  for (const uint32_t cid : {0u, 1u, 3u, 4u, 0xffffffffu}) EXPECT_FALSE(IsWelcome(peer(cid), true)) << cid;
  EXPECT_FALSE(IsWelcome(peer(std::nullopt), true));
  EXPECT_TRUE(IsWelcome(peer(std::nullopt), false));
}

TEST_F(ListenerTest, OtherBytesAreHungUpOnAtOnce) {
  const auto fd = ConnectRaw();
  Send(fd, "GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(IsClosed(fd));
  EXPECT_EQ(TheListener().Counts().not_http2, 1u);
  EXPECT_EQ(TheListener().Counts().admitted, 0u);
}

TEST_F(ListenerTest, HalfAPrefaceWaitsAndIsHungUpOnInTime) {
  const auto fd = ConnectRaw();
  Send(fd, kPreface.substr(0, 12));
  EXPECT_TRUE(IsClosed(fd));
  EXPECT_EQ(TheListener().Counts().too_slow, 1u);
}

TEST_F(ListenerTest, APrefaceInTwoPartsIsAdmitted) {
  const auto fd = ConnectRaw();
  Send(fd, kPreface.substr(0, 12));
  Send(fd, kPreface.substr(12) + kEmptySettings);
  EXPECT_TRUE(Eventually([&] { return TheListener().Counts().admitted == 1; }));
}

TEST_F(ListenerTest, ASilentFloodPushesOutTheOldestAndDisturbsNobody) {
  const auto watch = Watch();
  watch->Next();
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(ConnectRaw());
  EXPECT_TRUE(IsClosed(silent.front()));
  Guest().SetAvailable(40 * kMiB);
  EXPECT_TRUE(watch->Until(
      [](const auto& r) { return r.has_report() && r.report().level() == guest::v1::LEVEL_CRITICAL; }));
}

TEST_F(ListenerTest, AConnectionCountsAsLongAsItLives) {
  {
    const auto watch = Watch();
    watch->Next();
    EXPECT_EQ(TheListener().Counts().alive, 1u);
  }
  EXPECT_TRUE(Eventually([&] { return TheListener().Counts().alive == 0; }));
}

TEST_F(ListenerTest, AConnectionThatGrpcDropsIsForgottenThoughThePeerStays) {
  const auto fd = ConnectRaw();
  Send(fd, kPreface + std::string(64, '\xff'));  // a frame of 16 MiB of an unknown kind
  EXPECT_TRUE(Eventually([&] { return TheListener().Counts().admitted == 1; }));
  EXPECT_TRUE(Eventually([&] { return TheListener().Counts().alive == 0; }));
  EXPECT_TRUE(IsClosed(fd));
}

TEST_F(ListenerTest, AHalfClosedPeerIsForgotten) {
  const auto fd = ConnectRaw();
  Send(fd, kPreface + kEmptySettings);
  EXPECT_TRUE(Eventually([&] { return TheListener().Counts().alive == 1; }));
  ::shutdown(fd.Get(), SHUT_WR);
  EXPECT_TRUE(Eventually([&] { return TheListener().Counts().alive == 0; }));
  EXPECT_TRUE(IsClosed(fd));
}

TEST_F(ListenerTest, NoMoreThanTwentyFourProgramsOfTheGuestAreServedAtOnce) {
  std::vector<UniqueFd> open;
  for (int i = 0; i < 24; ++i) {
    open.push_back(ConnectRaw());
    Send(open.back(), kPreface + kEmptySettings);
  }
  EXPECT_TRUE(Eventually([&] { return TheListener().Counts().alive == 24; }));
  const auto extra = ConnectRaw();
  Send(extra, kPreface + kEmptySettings);
  EXPECT_TRUE(IsClosed(extra));
  EXPECT_EQ(TheListener().Counts().over_limit, 1u);
  open.clear();
  EXPECT_TRUE(Eventually([&] { return TheListener().Counts().alive == 0; }));
  ExpectServed();
}

TEST_F(ListenerTest, AThousandConnectionsLeaveNoDescriptorBehind) {
  const auto watch = Watch();
  watch->Next();
  for (int i = 0; i < 1'000; ++i) {
    const auto fd = ConnectRaw();
    if (i % 3 == 0) Send(fd, "x");
    if (i % 3 == 1) Send(fd, kPreface + kEmptySettings);
  }
  EXPECT_TRUE(Eventually([&] { return TheListener().Counts().alive == 1; }));
  ExpectServed();
  EXPECT_TRUE(Eventually([&] { return TheListener().Counts().alive == 1; }));
}

TEST_F(ListenerTest, AnAnnouncedGiantFrameIsRefused) {
  const auto watch = Watch();
  watch->Next();
  const auto fd = ConnectRaw();
  Send(fd, kPreface + kEmptySettings);
  // A DATA frame of 10 MiB, far above the 16 KiB both sides agreed on.
  Send(fd, std::string("\xa0\0\0\0\0\0\0\0\1", 9));
  std::thread sender([&] {
    for (int i = 0; i < 160; ++i) Send(fd, std::string(64 * 1024, 'x'));
  });
  EXPECT_TRUE(IsClosed(fd));
  ::shutdown(fd.Get(), SHUT_RDWR);
  sender.join();
  ExpectServed();
  Guest().SetAvailable(40 * kMiB);
  EXPECT_TRUE(watch->Until(
      [](const auto& r) { return r.has_report() && r.report().level() == guest::v1::LEVEL_CRITICAL; }));
}

TEST(ListenerDial, AQuarterOfThePlacesIsTheHosts) {
  SystemClock clock;
  const std::string path = StrCat(::testing::TempDir(), "places-", ::getpid(), ".sock");
  auto local = ListenUnix(path, 0600, 16);
  ASSERT_TRUE(local.ok()) << local.status();
  std::atomic<bool> host_is_there = false;
  UniqueFd host_end;
  std::vector<UniqueFd> served;
  Listener::Options options;
  options.local = *std::move(local);
  options.max_alive = 4;
  options.redial_min = options.redial_max = Milliseconds(5);
  options.dial = [&]() -> absl::StatusOr<UniqueFd> {
    if (!host_is_there) return absl::UnavailableError("nobody there");
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
      return absl::InternalError("socketpair");
    }
    host_end = UniqueFd(ends[1]);
    return UniqueFd(ends[0]);
  };
  options.serve = [&](UniqueFd connection) { served.push_back(std::move(connection)); };
  auto listener = Listener::Start(std::move(options), clock);
  ASSERT_TRUE(listener.ok()) << listener.status();
  std::vector<UniqueFd> programs;
  for (int i = 0; i < 4; ++i) {
    auto program = StartConnectUnix(path);
    ASSERT_TRUE(program.ok()) << program.status();
    programs.push_back(*std::move(program));
    ASSERT_EQ(::send(programs.back().Get(), kPreface.data(), kPreface.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(kPreface.size()));
  }
  const MonotonicTime deadline = clock.Now() + Seconds(10);
  while ((*listener)->Counts().over_limit < 1 && clock.Now() < deadline) ::usleep(1'000);
  EXPECT_EQ((*listener)->Counts().alive, 3u);
  EXPECT_EQ((*listener)->Counts().over_limit, 1u);
  host_is_there = true;
  while ((*listener)->Counts().alive < 4 && clock.Now() < deadline) ::usleep(1'000);
  EXPECT_EQ((*listener)->Counts().alive, 4u);
  (*listener)->Stop();
  ::unlink(path.c_str());
}

TEST(ListenerDial, DialsAgainWhenTheHostHangsUp) {
  SystemClock clock;
  std::vector<UniqueFd> host_ends;
  std::mutex mutex;
  Listener::Options options;
  options.redial_min = Milliseconds(5);
  options.redial_max = Milliseconds(20);
  int dials = 0;
  options.dial = [&]() -> absl::StatusOr<UniqueFd> {
    if (++dials == 2) return absl::UnavailableError("nobody there");
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
      return absl::InternalError("socketpair");
    }
    const std::lock_guard lock(mutex);
    host_ends.emplace_back(ends[1]);
    return UniqueFd(ends[0]);
  };
  options.serve = [&](UniqueFd connection) {
    const std::lock_guard lock(mutex);
    host_ends.pop_back();  // the host hangs up as soon as it is served
    connection.Reset();
  };
  auto listener = Listener::Start(std::move(options), clock);
  ASSERT_TRUE(listener.ok()) << listener.status();
  const MonotonicTime deadline = clock.Now() + Seconds(10);
  while ((*listener)->Counts().admitted < 3 && clock.Now() < deadline) ::usleep(1'000);
  EXPECT_GE((*listener)->Counts().admitted, 3u);
  (*listener)->Stop();
}

}  // namespace
}  // namespace ballast::agent
