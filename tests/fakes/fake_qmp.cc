#include "tests/fakes/fake_qmp.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>

#include "common/base/text.h"
#include "common/os/clock.h"
#include "common/transport/socket.h"
#include "tests/fakes/fake_qmp_machine.h"

namespace ballast::fakes {
namespace {

namespace json = boost::json;

constexpr std::string_view kGreeting =
    R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "fake"}, "capabilities": ["oob"]}})"
    "\r\n";

}  // namespace

class FakeQmp::Server {
 public:
  explicit Server(FakeQmpOptions options)
      : options_(std::move(options)),
        machine_(options_, clock_.Now()),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    auto listener = ListenUnix(options_.socket_path, 0600, 8);
    if (!listener.ok() || !wake_.IsOpen()) {
      std::fprintf(stderr, "FakeQmp: %s\n", listener.status().ToString().c_str());
      std::abort();
    }
    listener_ = *std::move(listener);
    thread_ = std::thread([this] { Run(); });
  }

  ~Server() {
    {
      const std::lock_guard lock(mutex);
      ending_ = true;
    }
    Wake();
    thread_.join();
    ::unlink(options_.socket_path.c_str());
  }

  // Runs `change` with the machine and wakes the server, so that events go out.
  template <typename Change>
  void With(Change change) {
    {
      const std::lock_guard lock(mutex);
      change();
    }
    Wake();
  }

  mutable std::mutex mutex;
  mutable std::condition_variable changed;

  // Under `mutex`:
  FakeQmpOptions options_;
  SystemClock clock_;
  FakeMachine machine_;
  std::vector<Received> log_;
  std::string outgoing_;
  Fault fault_ = Fault::kNone;
  std::string fault_command_;
  int fault_times_ = 0;
  std::optional<std::pair<std::string, BalloonBytes>> moves_after_;  // command, where to
  bool disconnect_ = false;
  uint64_t connections_ = 0;
  MonotonicTime Now() const { return clock_.Now(); }

 private:
  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_.Get(), &one, sizeof one);
  }

  void Run() {
    while (true) {
      // A monitor serves one client; a second one's connect(2) succeeds by the kernel's queue, and that is
      // all.
      std::array<pollfd, 2> polled = {
          {{wake_.Get(), POLLIN, 0}, {client_.IsOpen() ? client_.Get() : listener_.Get(), POLLIN, 0}}};
      ::poll(polled.data(), polled.size(), WaitMilliseconds());
      if (polled[0].revents != 0) {
        uint64_t count = 0;
        [[maybe_unused]] const ssize_t n = ::read(wake_.Get(), &count, sizeof count);
      }
      if (polled[1].revents != 0) {
        if (client_.IsOpen()) {
          Receive();
        } else {
          AcceptClient();
        }
      }
      const std::lock_guard lock(mutex);
      if (ending_) return;
      Tend();
    }
  }

  int WaitMilliseconds() {
    const std::lock_guard lock(mutex);
    std::optional<MonotonicTime> due = machine_.NextEventDue(Now());
    if (greeting_due_ && (!due || *greeting_due_ < *due)) due = greeting_due_;
    if (!due) return -1;
    return static_cast<int>(std::max<int64_t>((*due - Now()).count / 1'000'000 + 1, 0));
  }

  void AcceptClient() {
    auto peer = Accept(listener_.Get());
    if (!peer.ok()) return;
    client_ = std::move(peer->fd);
    incoming_.clear();
    const std::lock_guard lock(mutex);
    outgoing_.clear();
    (void)machine_.TakeEvents(Now());  // of before: nobody was there to hear them
    negotiated_ = disconnect_ = false;
    greeting_due_ = Now() + options_.greeting_delay;
  }

  // What time and the test's thread have brought about.
  void Tend() {
    if (!client_.IsOpen()) return;
    if (disconnect_) return HangUp();
    if (greeting_due_ && Now() >= *greeting_due_) {
      greeting_due_.reset();
      ++connections_;
      changed.notify_all();
      SendNow(kGreeting);
    }
    const std::string events = machine_.TakeEvents(Now());
    if (negotiated_) SendNow(events);
    SendNow(std::exchange(outgoing_, ""));
  }

  void HangUp() {
    client_.Reset();
    disconnect_ = false;
    greeting_due_.reset();
  }

  void SendNow(std::string_view bytes) {
    while (client_.IsOpen() && !bytes.empty()) {
      const ssize_t n = ::send(client_.Get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) {
        bytes.remove_prefix(static_cast<size_t>(n));
        continue;
      }
      if (errno != EAGAIN) return HangUp();
      pollfd writable = {client_.Get(), POLLOUT, 0};
      ::poll(&writable, 1, 1000);
    }
  }

  void Receive() {
    std::array<char, 64 * 1024> buffer;
    const ssize_t n = ::recv(client_.Get(), buffer.data(), buffer.size(), 0);
    const MonotonicTime at = clock_.Now();
    const std::lock_guard lock(mutex);
    if (n <= 0) return HangUp();
    incoming_.append(buffer.data(), static_cast<size_t>(n));
    // Ballast ends each command with a newline, which real JSON framing does not need.
    size_t end = 0;
    while (client_.IsOpen() && (end = incoming_.find('\n')) != std::string::npos) {
      const std::string line = incoming_.substr(0, end);
      incoming_.erase(0, end + 1);
      OnCommand(line, at);
    }
  }

  void OnCommand(const std::string& line, MonotonicTime at) {
    json::error_code error;
    const json::value value = json::parse(line, error);
    if (error || !value.is_object() || !value.get_object().contains("execute")) {
      return SendNow("{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error\"}}\r\n");
    }
    const json::object& message = value.get_object();
    Received received;
    received.command = json::value_to<std::string>(message.at("execute"));
    if (const auto* arguments = message.if_contains("arguments")) {
      received.arguments = json::serialize(*arguments);
      const auto* number = arguments->get_object().if_contains("value");
      if (number != nullptr && number->is_int64()) received.value = number->get_int64();
    }
    received.at = at;
    received.connection = connections_;
    log_.push_back(received);
    changed.notify_all();
    const json::value* id = message.if_contains("id");
    Answer(received, id != nullptr ? json::serialize(*id) : "null", message);
  }

  void Answer(const Received& received, const std::string& id, const json::object& message) {
    if (fault_times_ > 0 && (fault_command_.empty() || fault_command_ == received.command)) {
      --fault_times_;
      return Misbehave(id);
    }
    if (received.command == "qmp_capabilities") negotiated_ = true;
    const json::value* arguments = message.if_contains("arguments");
    const bool refused = !negotiated_;
    const std::string body =
        refused
            ? FakeMachine::Refusal("CommandNotFound", "Expecting capabilities negotiation")
            : machine_.Execute(received.command, arguments != nullptr ? *arguments : json::object{}, Now());
    if (machine_.devices().EventsFirst()) SendNow(machine_.TakeEvents(Now()));
    SendNow(StrCat("{", body, ", \"id\": ", id, "}\r\n"));
    if (!moves_after_ || moves_after_->first != received.command) return;
    machine_.SetActual(std::exchange(moves_after_, std::nullopt)->second, Now());
    SendNow(machine_.TakeEvents(Now()));
  }

  void Misbehave(const std::string& id) {
    switch (fault_) {
      case Fault::kNone:
      case Fault::kHang:
        return;
      case Fault::kClose:
        return HangUp();
      case Fault::kGarbage:
        return SendNow("\x01\xffnot json at all\r\n");
      case Fault::kHalfMessage:
        return SendNow("{\"return\": {\"act");
      case Fault::kHugeMessage:
        return SendNow(StrCat("{\"return\": \"", std::string(2 << 20, 'x'), "\", \"id\": ", id, "}\r\n"));
      case Fault::kWrongTypes:
        return SendNow(
            StrCat("{\"return\": {\"actual\": \"lots\", \"running\": 1, \"base-memory\": {}}, \"id\": ", id,
                   "}\r\n"));
      case Fault::kIdlessError:
        return SendNow(
            "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error, expecting "
            "value\"}}\r\n");
      case Fault::kErrorReply:
        return SendNow(StrCat("{", FakeMachine::Refusal("GenericError", "something is wrong"),
                              ", \"id\": ", id, "}\r\n"));
    }
  }

  UniqueFd wake_;
  UniqueFd listener_;
  UniqueFd client_;       // the server's thread only
  std::string incoming_;  // the same
  bool negotiated_ = false;
  bool ending_ = false;
  std::optional<MonotonicTime> greeting_due_;
  std::thread thread_;
};

FakeQmp::FakeQmp(FakeQmpOptions options) : server_(std::make_unique<Server>(std::move(options))) {}
FakeQmp::~FakeQmp() = default;

const std::string& FakeQmp::Path() const { return server_->options_.socket_path; }

void FakeQmp::SetFault(Fault fault, std::string command, int times) {
  server_->With([&] {
    server_->fault_ = fault;
    server_->fault_command_ = std::move(command);
    server_->fault_times_ = fault == Fault::kNone ? 0 : times;
  });
}

void FakeQmp::SendRaw(std::string bytes) {
  server_->With([&] { server_->outgoing_ += bytes; });
}
void FakeQmp::Disconnect() {
  server_->With([&] { server_->disconnect_ = true; });
}
void FakeQmp::SetGreetingDelay(Nanos delay) {
  server_->With([&] { server_->options_.greeting_delay = delay; });
}
void FakeQmp::Stop() {
  server_->With([&] { server_->machine_.SetRunning(false); });
}
void FakeQmp::Resume() {
  server_->With([&] { server_->machine_.SetRunning(true); });
}
void FakeQmp::Reset() {
  server_->With([&] { server_->machine_.Reset(); });
}
void FakeQmp::Shutdown() {
  server_->With([&] { server_->machine_.Shutdown(); });
}
void FakeQmp::AddDimm(int64_t bytes, bool announce) {
  server_->With([&] { server_->machine_.AddDimm(bytes, announce); });
}
void FakeQmp::AddBackend(const std::string& id, const std::string& type) {
  server_->With([&] { server_->machine_.devices().AddBackend(id, type, false); });
}
void FakeQmp::AddDimm(const std::string& id, const std::string& backend, int64_t bytes) {
  server_->With([&] { server_->machine_.devices().AddDimm(id, backend, bytes); });
}
void FakeQmp::SetUnplugAnswer(UnplugAnswer answer) {
  server_->With([&] { server_->machine_.devices().SetAnswer(answer); });
}
void FakeQmp::LetGo(const std::string& dimm) {
  server_->With([&] { server_->machine_.devices().LetGo(dimm); });
}
void FakeQmp::SetVirtioMem(int64_t bytes) {
  server_->With([&] { server_->machine_.devices().SetVirtioMem(bytes); });
}
std::vector<std::string> FakeQmp::DeviceNames() const {
  const std::lock_guard lock(server_->mutex);
  return server_->machine_.devices().Names();
}
void FakeQmp::AddDimmBeforeNextBalloon(int64_t bytes) {
  server_->With([&] { server_->machine_.AddDimmBeforeNextBalloon(bytes); });
}
void FakeQmp::SetActual(BalloonBytes balloon) {
  server_->With([&] { server_->machine_.SetActual(balloon, server_->Now()); });
}
void FakeQmp::SetActualAfterNext(std::string command, BalloonBytes balloon) {
  server_->With([&] { server_->moves_after_.emplace(std::move(command), balloon); });
}
void FakeQmp::ShrinkBalloon(int64_t bytes) {
  server_->With([&] { server_->machine_.ShrinkBalloon(bytes, server_->Now()); });
}
void FakeQmp::SetSpeed(std::optional<int64_t> bytes_per_second) {
  server_->With([&] { server_->machine_.SetSpeed(bytes_per_second, server_->Now()); });
}

BalloonBytes FakeQmp::Actual() const {
  const std::lock_guard lock(server_->mutex);
  return server_->machine_.Actual(server_->Now());
}
BalloonBytes FakeQmp::Target() const {
  const std::lock_guard lock(server_->mutex);
  return server_->machine_.Target();
}
std::vector<FakeQmp::Received> FakeQmp::Log() const {
  const std::lock_guard lock(server_->mutex);
  return server_->log_;
}
uint64_t FakeQmp::Connections() const {
  const std::lock_guard lock(server_->mutex);
  return server_->connections_;
}

std::optional<FakeQmp::Received> FakeQmp::WaitForCommand(const std::string& command, size_t count,
                                                         Nanos limit) const {
  std::unique_lock lock(server_->mutex);
  std::optional<Received> found;
  server_->changed.wait_for(lock, std::chrono::nanoseconds(limit.count), [&] {
    size_t seen = 0;
    for (const Received& received : server_->log_) {
      if (received.command == command && ++seen == count) found = received;
    }
    return found.has_value();
  });
  return found;
}

bool FakeQmp::WaitForConnections(uint64_t count, Nanos limit) const {
  std::unique_lock lock(server_->mutex);
  return server_->changed.wait_for(lock, std::chrono::nanoseconds(limit.count),
                                   [&] { return server_->connections_ >= count; });
}

}  // namespace ballast::fakes
