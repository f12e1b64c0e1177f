#include "host-bridge/vmm/qmp/qmp_client.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>
#include <cerrno>
#include <utility>

#include "common/base/text.h"
#include "common/transport/socket.h"

namespace ballast::vmm::qmp {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using std::chrono::steady_clock;

constexpr uint64_t kNone = 0;  // no command has this id

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

std::chrono::nanoseconds ToChrono(Nanos time) { return std::chrono::nanoseconds(time.count); }

std::string Millis(Nanos time) { return StrCat(time.count / 1'000'000, " ms"); }

}  // namespace

Client::Client(asio::io_context& io, const Clock& clock, ClientOptions options,
               std::weak_ptr<ClientListener> listener)
    : clock_(clock), options_(std::move(options)), listener_(std::move(listener)), socket_(io), timer_(io) {}

void Client::Start() {
  if (state_ == State::kIdle) Connect();
}

void Client::Close() {
  state_ = State::kClosed;
  ++connection_;
  boost::system::error_code ignored;  // closing a descriptor that is closed already is no fault
  socket_.close(ignored);
  timer_.cancel();
  calls_.clear();
  unsent_.clear();
}

void Client::Connect() {
  state_ = State::kGreeting;
  ++connection_;
  stream_ = std::make_unique<Stream>();
  // A Unix socket connects at once or not at all.
  auto fd = StartConnectUnix(options_.socket_path);
  if (!fd.ok()) return Fail(WithContext("connect", fd.status()), kNone);
  boost::system::error_code error;
  socket_.assign(fd->Get(), error);
  if (error) return Fail(absl::InternalError(StrCat("epoll: ", error.message())), kNone);
  [[maybe_unused]] const int owned_by_socket = fd->Release();
  greeting_deadline_ = steady_clock::now() + ToChrono(options_.greeting_timeout);
  WakeBy(greeting_deadline_);
  WaitReadable();
}

void Client::Negotiate(const Greeting& greeting) {
  state_ = State::kNegotiating;
  Send("qmp_capabilities", {}, options_.negotiation_timeout,
       [this, greeting](const absl::StatusOr<json::value>& result, MonotonicTime) {
         if (!IsConnected()) return;  // the connection is being failed, which says why
         if (!result.ok()) return Fail(WithContext("qmp_capabilities", result.status()), kNone);
         state_ = State::kUp;
         if (const auto listener = listener_.lock()) listener->OnUp(greeting);
       });
}

absl::Status Client::Call(std::string_view command, json::object arguments, Nanos timeout, Answer answer) {
  if (state_ != State::kUp) return absl::UnavailableError("not connected to QEMU");
  if (calls_.size() >= kMaxOutstanding) {
    return absl::ResourceExhaustedError(StrCat(kMaxOutstanding, " commands wait for QEMU's answer already"));
  }
  Send(command, std::move(arguments), timeout, std::move(answer));
  return absl::OkStatus();
}

void Client::Send(std::string_view command, json::object arguments, Nanos timeout, Answer answer) {
  const uint64_t id = next_id_++;
  json::object message{{"execute", command}};
  if (!arguments.empty()) message["arguments"] = std::move(arguments);
  message["id"] = id;
  unsent_.push_back({id, json::serialize(message) + "\n", 0});
  const TimePoint deadline = steady_clock::now() + ToChrono(timeout);
  calls_[id] = {std::string(command), timeout, deadline, {}, std::move(answer)};
  if (unsent_.size() == 1) {
    if (auto status = Flush(); !status.ok()) {
      // Later, so that nobody is called back from inside a call.
      asio::post(socket_.get_executor(), [self = shared_from_this(), status, of = connection_] {
        if (self->connection_ == of) self->Fail(status, kNone);
      });
    }
  }
  WakeBy(deadline);
}

std::optional<pid_t> Client::Peer() {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (!IsConnected() || ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      peer.pid <= 0) {
    return std::nullopt;
  }
  return peer.pid;
}

absl::Status Client::Flush() {
  while (!unsent_.empty()) {
    Unsent& next = unsent_.front();
    const ssize_t n = ::send(socket_.native_handle(), next.bytes.data() + next.sent,
                             next.bytes.size() - next.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && WouldBlock(errno)) {
      WaitWritable();
      return absl::OkStatus();
    }
    if (n < 0) return absl::UnavailableError(MessageOf(ErrnoStatus(errno, "send to QEMU")));
    next.sent += static_cast<size_t>(n);
    if (next.sent < next.bytes.size()) continue;
    const MonotonicTime now = clock_.Now();
    if (const auto call = calls_.find(next.id); call != calls_.end()) call->second.written_at = now;
    unsent_.pop_front();
  }
  return absl::OkStatus();
}

void Client::WaitReadable() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this(), of = connection_](const boost::system::error_code& error) {
                       if (!error && self->connection_ == of) self->Receive();
                     });
}

void Client::WaitWritable() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                     [self = shared_from_this(), of = connection_](const boost::system::error_code& error) {
                       if (error || self->connection_ != of) return;
                       if (auto status = self->Flush(); !status.ok()) self->Fail(status, kNone);
                     });
}

void Client::Receive() {
  // One piece a wake-up, so that one chatty VM does not hold up the others on this thread.
  std::array<char, 16 * 1024> buffer;
  const ssize_t n = ::recv(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EINTR || WouldBlock(errno))) return WaitReadable();
  if (n < 0) return Fail(absl::UnavailableError(MessageOf(ErrnoStatus(errno, "read from QEMU"))), kNone);
  if (n == 0) return Fail(absl::UnavailableError("QEMU closed the connection"), kNone);
  std::vector<json::value> values;
  const absl::Status fault = stream_->Feed({buffer.data(), static_cast<size_t>(n)}, values);
  const uint64_t of = connection_;
  for (const json::value& value : values) {
    const absl::Status status = Handle(value);
    if (connection_ != of) return;
    if (!status.ok()) return Fail(status, kNone);
  }
  if (!fault.ok()) return Fail(fault, kNone);
  WaitReadable();
}

absl::Status Client::Handle(const json::value& value) {
  auto message = ParseMessage(value);
  if (!message.ok()) return message.status();
  if (const auto* greeting = std::get_if<Greeting>(&*message)) {
    if (state_ != State::kGreeting) return absl::InvalidArgumentError("QEMU greeted a second time");
    Negotiate(*greeting);
    return absl::OkStatus();
  }
  if (state_ == State::kGreeting) {
    return absl::InvalidArgumentError("not a QMP monitor: the first message is not a greeting");
  }
  if (auto* result = std::get_if<Return>(&*message)) return Deliver(result->id, std::move(result->value));
  if (const auto* error = std::get_if<Error>(&*message)) {
    if (error->id) return Deliver(*error->id, ToStatus(*error));
    return WithContext("an error that names no command", ToStatus(*error));
  }
  if (state_ == State::kUp) {
    if (const auto listener = listener_.lock()) listener->OnEvent(std::get<Event>(*message));
  }
  return absl::OkStatus();
}

absl::Status Client::Deliver(uint64_t id, const absl::StatusOr<json::value>& result) {
  const auto call = calls_.find(id);
  if (call == calls_.end()) {
    return absl::InvalidArgumentError(StrCat("an answer to command ", id, ", which does not wait for one"));
  }
  const Outstanding done = std::move(call->second);
  calls_.erase(call);
  done.answer(result, done.written_at);
  return absl::OkStatus();
}

void Client::WakeBy(TimePoint due) {
  if (due >= timer_due_) return;
  timer_due_ = due;
  timer_.expires_at(due);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error || self->state_ == State::kClosed) return;
    self->timer_due_ = TimePoint::max();
    self->OnTimer();
  });
}

void Client::OnTimer() {
  const TimePoint now = steady_clock::now();
  if (state_ == State::kWaiting) {
    if (now >= retry_at_) return Connect();
    return WakeBy(retry_at_);
  }
  if (state_ == State::kGreeting) {
    if (now < greeting_deadline_) return WakeBy(greeting_deadline_);
    return Fail(absl::UnavailableError(StrCat("monitor busy: ", options_.socket_path, " gave no greeting in ",
                                              Millis(options_.greeting_timeout),
                                              "; another client holds it; give Ballast its own -qmp socket")),
                kNone);
  }
  TimePoint next = TimePoint::max();
  for (const auto& [id, call] : calls_) {
    if (now >= call.deadline) {
      return Fail(absl::UnavailableError(
                      StrCat("QEMU gave no answer to ", call.command, " in ", Millis(call.timeout))),
                  id);
    }
    next = std::min(next, call.deadline);
  }
  WakeBy(next);
}

void Client::Drop(const absl::Status& why) {
  if (IsConnected()) Fail(why, kNone);
}

void Client::Fail(const absl::Status& why, uint64_t expired) {
  state_ = State::kWaiting;
  ++connection_;
  boost::system::error_code ignored;  // nothing is lost with a connection that is given up
  socket_.close(ignored);
  unsent_.clear();
  const std::map<uint64_t, Outstanding> calls = std::exchange(calls_, {});
  retry_at_ = steady_clock::now() + ToChrono(BackoffDelay(options_.name, attempt_, options_.backoff));
  ++attempt_;
  WakeBy(retry_at_);
  const absl::Status lost = absl::UnavailableError(StrCat("connection lost: ", MessageOf(why)));
  for (const auto& [id, call] : calls) {
    call.answer(id == expired ? absl::DeadlineExceededError(MessageOf(why)) : lost, call.written_at);
  }
  const auto listener = listener_.lock();
  if (listener && state_ != State::kClosed) listener->OnDown(why);
}

}  // namespace ballast::vmm::qmp
