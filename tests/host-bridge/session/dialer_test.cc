// The hybrid-vsock handshake against a VMM's socket that behaves, and against ones that do not.
#include "host-bridge/session/dialer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "common/base/text.h"
#include "common/transport/socket.h"

namespace ballast::session {
namespace {

using ::testing::HasSubstr;

// A VMM's hybrid-vsock socket that takes one connection, reads the request line and does as told with it.
class FakeVmmSocket {
 public:
  using Behaviour = std::function<void(int fd, const std::string& request)>;

  explicit FakeVmmSocket(Behaviour behave)
      : path_(StrCat(std::filesystem::temp_directory_path().string(), "/ballast-dial-", ::getpid())),
        listener_(*ListenUnix(path_, 0600, 4)),
        thread_([this, behave = std::move(behave)] { Serve(behave); }) {}
  ~FakeVmmSocket() {
    thread_.join();
    std::filesystem::remove(path_);
  }

  [[nodiscard]] Address At(uint32_t port) const { return HybridAddress{path_, port}; }

 private:
  void Serve(const Behaviour& behave) const {
    pollfd incoming{listener_.Get(), POLLIN, 0};
    if (::poll(&incoming, 1, 5000) != 1) return;
    const UniqueFd peer(::accept(listener_.Get(), nullptr, nullptr));
    char line[64];
    const ssize_t n = ::recv(peer.Get(), line, sizeof line, 0);
    behave(peer.Get(), std::string(line, n > 0 ? static_cast<size_t>(n) : 0));
    // Stay until the dialler has made up its mind.
    while (::recv(peer.Get(), line, sizeof line, 0) > 0) {
    }
  }

  std::string path_;
  UniqueFd listener_;
  std::thread thread_;
};

void Send(int fd, std::string_view text) {
  ASSERT_EQ(::send(fd, text.data(), text.size(), 0), ssize_t(text.size()));
}

absl::StatusOr<UniqueFd> DialNow(const Address& address, Nanos deadline = Seconds(5)) {
  boost::asio::io_context io;
  absl::StatusOr<UniqueFd> result = absl::UnknownError("never finished");
  boost::asio::co_spawn(
      io, Dial(address, deadline),
      [&](const std::exception_ptr&, absl::StatusOr<UniqueFd> fd) { result = std::move(fd); });
  io.run();
  return result;
}

TEST(Dial, AsksForThePortInOneLineAndKeepsWhatFollowsTheAnswer) {
  FakeVmmSocket vmm([](int fd, const std::string& request) {
    EXPECT_EQ(request, "CONNECT 1000\n");
    Send(fd, "OK 1073741824\nPRI * first bytes of HTTP/2");
  });
  auto fd = DialNow(vmm.At(1000));
  ASSERT_TRUE(fd.ok()) << fd.status();
  char rest[64];
  const ssize_t n = ::recv(fd->Get(), rest, sizeof rest, 0);
  EXPECT_EQ(std::string(rest, size_t(n)), "PRI * first bytes of HTTP/2");
}

TEST(Dial, TakesAnAnswerThatComesByteByByte) {
  FakeVmmSocket vmm([](int fd, const std::string&) {
    for (const char c : std::string("OK 7\n")) Send(fd, std::string_view(&c, 1));
  });
  EXPECT_TRUE(DialNow(vmm.At(7)).ok());
}

TEST(Dial, SaysThatTheGuestDoesNotListenWhenTheSocketIsClosed) {
  FakeVmmSocket vmm([](int fd, const std::string&) { ::shutdown(fd, SHUT_RDWR); });
  EXPECT_THAT(MessageOf(DialNow(vmm.At(1000)).status()), HasSubstr("does not answer on vsock port 1000"));
}

TEST(Dial, GivesUpOnAVmmThatNeverAnswers) {
  FakeVmmSocket vmm([](int, const std::string&) {});
  const auto fd = DialNow(vmm.At(1000), Milliseconds(50));
  EXPECT_THAT(MessageOf(fd.status()), HasSubstr("no answer within 50 ms"));
}

TEST(Dial, RefusesAnAnswerOfSomethingElse) {
  FakeVmmSocket vmm([](int fd, const std::string&) { Send(fd, "{\"QMP\": {\"version\": {}}}\r\n"); });
  EXPECT_THAT(MessageOf(DialNow(vmm.At(1000)).status()), HasSubstr("not a hybrid vsock socket"));
}

TEST(Dial, RefusesAnAnswerWithoutEnd) {
  FakeVmmSocket vmm([](int fd, const std::string&) { Send(fd, std::string(4096, 'O')); });
  EXPECT_THAT(MessageOf(DialNow(vmm.At(1000)).status()), HasSubstr("not a hybrid vsock socket"));
}

TEST(Dial, NamesASocketThatIsNotThere) {
  EXPECT_THAT(MessageOf(DialNow(HybridAddress{"/nowhere/vm.sock", 1000}).status()),
              HasSubstr("/nowhere/vm.sock"));
}

TEST(AcceptAgent, TakesTheConnectionThatTheVmmForwards) {
  const std::string path =
      StrCat(std::filesystem::temp_directory_path().string(), "/ballast-listen-", ::getpid());
  auto link = Listen(HybridAddress{path, 1001});
  ASSERT_TRUE(link.ok()) << link.status();
  auto vmm = StartConnectUnix(path + "_1001");
  ASSERT_TRUE(vmm.ok()) << vmm.status();
  boost::asio::io_context io;
  bool accepted = false;
  boost::asio::co_spawn(io, AcceptAgent(*link),
                        [&](const std::exception_ptr&, absl::StatusOr<UniqueFd> fd) { accepted = fd.ok(); });
  io.run();
  EXPECT_TRUE(accepted);
  std::filesystem::remove(path + "_1001");
}

}  // namespace
}  // namespace ballast::session
