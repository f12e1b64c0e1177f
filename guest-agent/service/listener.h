// Brings connections to the server: accepts on a vsock port and a Unix socket, or dials the host, lets only
// the host's and HTTP/2's through, and knows how many are alive. One thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "common/os/clock.h"
#include "common/os/unique_fd.h"
#include "common/transport/socket.h"

namespace ballast::agent {

// Counted since the start.
struct ListenerCounts {
  uint64_t admitted = 0;
  uint64_t foreign = 0;     // a vsock peer that is not the host
  uint64_t not_http2 = 0;   // other bytes, or gone before the preface was complete
  uint64_t too_slow = 0;    // no whole preface in time, or pushed out by newer ones
  uint64_t over_limit = 0;  // too many alive
  uint64_t alive = 0;       // now
};

// Only the host (CID 2) may speak over vsock: not CID 1 (this guest itself), not other guests. A Unix
// socket's peer has no CID; its file mode decides.
[[nodiscard]] bool IsWelcome(const Peer& peer, bool over_vsock);

class Listener {
 public:
  struct Options {
    UniqueFd vsock;  // listening; may be closed: not wanted
    UniqueFd local;  // listening Unix socket; may be closed
    // Starts a connection to the host; empty: do not dial. Redialled when it fails or ends.
    std::function<absl::StatusOr<UniqueFd>()> dial;
    // Receives each admitted connection, in the listener's thread.
    std::function<void(UniqueFd)> serve;
    Nanos preface_deadline = Seconds(3);
    Nanos redial_min = Milliseconds(100);
    Nanos redial_max = Seconds(5);
    size_t max_pending = 64;
    size_t max_alive = 32;  // of which programs of the guest may take three quarters
  };

  // `clock` must outlive it. Errors: the kernel's, when it gives no descriptor.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Listener>> Start(Options options, const Clock& clock);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // No connection is served after it returns. May be repeated.
  void Stop();
  [[nodiscard]] ListenerCounts Counts() const;

 private:
  struct Pending {
    UniqueFd fd;
    MonotonicTime deadline;
  };
  // A duplicate of a served descriptor: hangs up when either side, gRPC included, shuts the socket down.
  struct Alive {
    UniqueFd watch;
    bool dialled = false;
    bool local = false;
  };

  Listener(Options options, const Clock& clock, UniqueFd epoll, UniqueFd wake);
  void Run();
  void Handle(int fd);
  void AcceptFrom(int listening, bool over_vsock);
  void Examine(std::vector<Pending>::iterator pending);
  void Admit(UniqueFd connection, bool dialled);
  void Bury(std::vector<Alive>::iterator alive);
  void Expire(MonotonicTime now);
  void DialIfDue(MonotonicTime now);
  void FinishDial();
  void DialFailed(const absl::Status& status);
  [[nodiscard]] int TimeoutMs() const;
  [[nodiscard]] bool Watch(int fd, uint32_t events) const;

  const Options options_;
  const Clock& clock_;
  const UniqueFd epoll_;
  const UniqueFd wake_;
  std::atomic<bool> stopping_{false};

  // Of the listener's thread alone.
  std::vector<Pending> pending_;  // oldest first
  std::vector<Alive> alive_;
  UniqueFd dialling_;
  bool dialled_alive_ = false;
  bool dial_failure_logged_ = false;
  MonotonicTime next_dial_;
  MonotonicTime dialled_at_;
  Nanos redial_wait_;
  bool foreign_logged_ = false;
  bool limit_logged_ = false;

  std::atomic<uint64_t> admitted_{0};
  std::atomic<uint64_t> foreign_{0};
  std::atomic<uint64_t> not_http2_{0};
  std::atomic<uint64_t> too_slow_{0};
  std::atomic<uint64_t> over_limit_{0};
  std::atomic<uint64_t> alive_count_{0};
  std::thread thread_;
};

}  // namespace ballast::agent
