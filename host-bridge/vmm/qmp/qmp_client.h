// One QEMU monitor: connects, negotiates, matches answers to commands, reconnects with back-off. Everything
// here runs on the thread of the io_context it is given, which may serve many VMs.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/os/clock.h"
#include "host-bridge/vmm/qmp/backoff.h"
#include "host-bridge/vmm/qmp/qmp_parser.h"
#include "host-bridge/vmm/qmp/qmp_stream.h"

namespace ballast::vmm::qmp {

struct ClientOptions {
  std::string name;         // the VM's; spreads reconnects
  std::string socket_path;  // of a -qmp socket that is Ballast's alone
  Nanos greeting_timeout =
      Seconds(5);  // QEMU greets at once unless its main loop is busy or another holds it
  Nanos negotiation_timeout = Seconds(2);
  BackoffLimits backoff;
};

class ClientListener {
 public:
  virtual ~ClientListener() = default;
  virtual void OnUp(const Greeting& greeting) = 0;  // commands may be sent from now on
  // The connection is gone, or could not be made (then after every attempt). All outstanding commands have
  // had their answers by now. The client tries again by itself.
  virtual void OnDown(const absl::Status& why) = 0;
  virtual void OnEvent(const Event& event) = 0;
};

class Client : public std::enable_shared_from_this<Client> {
 public:
  // The command's result, or: UNAVAILABLE (connection lost, it may or may not have happened),
  // DEADLINE_EXCEEDED (the same, and the connection is closed, so that a late answer meets nobody), or QEMU's
  // error (ToStatus). `written_at`: when the command's last byte was handed to the kernel; {0} when it never
  // was.
  using Answer = std::function<void(const absl::StatusOr<boost::json::value>&, MonotonicTime written_at)>;

  // More outstanding commands than this are refused; QEMU itself queues 8 and then stops reading.
  static constexpr size_t kMaxOutstanding = 32;

  // `io` and `clock` outlive the client. Use through std::make_shared.
  Client(boost::asio::io_context& io, const Clock& clock, ClientOptions options,
         std::weak_ptr<ClientListener> listener);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Start();
  // Ends for good; outstanding answers are dropped.
  void Close();
  // Sends at once if the socket takes it. An error means that nothing was sent and `answer` will not be
  // called: UNAVAILABLE when not up, RESOURCE_EXHAUSTED when too many are outstanding. Never calls back from
  // inside.
  [[nodiscard]] absl::Status Call(std::string_view command, boost::json::object arguments, Nanos timeout,
                                  Answer answer);
  // Closes this connection because of `why` and reconnects after the back-off. No effect when there is none.
  void Drop(const absl::Status& why);
  // The process at the other end; nothing when not connected, or when it is not to be seen from here (another
  // PID namespace).
  [[nodiscard]] std::optional<pid_t> Peer();
  // The VM proved usable: the next back-off starts small again.
  void ResetBackoff() { attempt_ = 0; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class State { kIdle, kGreeting, kNegotiating, kUp, kWaiting, kClosed };
  struct Outstanding {
    std::string command;
    Nanos timeout;
    TimePoint deadline;
    MonotonicTime written_at;
    Answer answer;
  };
  struct Unsent {
    uint64_t id = 0;
    std::string bytes;
    size_t sent = 0;
  };

  [[nodiscard]] bool IsConnected() const {
    return state_ == State::kGreeting || state_ == State::kNegotiating || state_ == State::kUp;
  }
  void Connect();
  void Negotiate(const Greeting& greeting);
  void Send(std::string_view command, boost::json::object arguments, Nanos timeout, Answer answer);
  absl::Status Flush();
  void WaitReadable();
  void WaitWritable();
  void Receive();
  absl::Status Handle(const boost::json::value& value);
  absl::Status Deliver(uint64_t id, const absl::StatusOr<boost::json::value>& result);
  void WakeBy(TimePoint due);
  void OnTimer();
  // Ends the connection: every outstanding command gets `why`, but `expired` gets DEADLINE_EXCEEDED.
  void Fail(const absl::Status& why, uint64_t expired);

  const Clock& clock_;
  const ClientOptions options_;
  std::weak_ptr<ClientListener> listener_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer timer_;
  TimePoint timer_due_ = TimePoint::max();
  State state_ = State::kIdle;
  uint64_t connection_ = 0;  // counts connections; handlers of an earlier one do nothing
  uint32_t attempt_ = 0;
  std::unique_ptr<Stream> stream_;
  uint64_t next_id_ = 1;  // never starts over: an id belongs to one command of one connection
  std::map<uint64_t, Outstanding> calls_;
  std::deque<Unsent> unsent_;
  TimePoint greeting_deadline_;
  TimePoint retry_at_;
};

}  // namespace ballast::vmm::qmp
