#include "guest-agent/service/listener.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <utility>

#include "common/base/text.h"
#include "common/os/log.h"
#include "guest-agent/service/preface_gate.h"

namespace ballast::agent {
namespace {

constexpr uint32_t kHostCid = 2;
// More connections a turn would let a flood keep the thread from those it already has.
constexpr int kMaxAcceptsATurn = 64;
// A dialled connection that lived this long was a good one: the next back-off starts anew.
constexpr Nanos kSettled = Seconds(5);
// With no descriptor left accept fails at once, again and again; this keeps the thread from spinning.
constexpr auto kAcceptPause = std::chrono::milliseconds(50);

bool IsUnix(int fd) {
  int domain = 0;
  socklen_t size = sizeof domain;
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

}  // namespace

bool IsWelcome(const Peer& peer, bool over_vsock) { return !over_vsock || peer.cid == kHostCid; }

Listener::Listener(Options options, const Clock& clock, UniqueFd epoll, UniqueFd wake)
    : options_(std::move(options)),
      clock_(clock),
      epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      redial_wait_(options_.redial_min) {}

absl::StatusOr<std::unique_ptr<Listener>> Listener::Start(Options options, const Clock& clock) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.IsOpen()) return ErrnoStatus(errno, "epoll_create1");
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.IsOpen()) return ErrnoStatus(errno, "eventfd");
  std::unique_ptr<Listener> listener(
      new Listener(std::move(options), clock, std::move(epoll), std::move(wake)));
  for (const int fd :
       {listener->wake_.Get(), listener->options_.vsock.Get(), listener->options_.local.Get()}) {
    if (fd >= 0 && !listener->Watch(fd, EPOLLIN)) return ErrnoStatus(errno, "epoll_ctl");
  }
  listener->thread_ = std::thread([self = listener.get()] { self->Run(); });
  return listener;
}

Listener::~Listener() { Stop(); }

void Listener::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_.Get(), &one, sizeof one);
  thread_.join();
}

ListenerCounts Listener::Counts() const {
  return {.admitted = admitted_.load(),
          .foreign = foreign_.load(),
          .not_http2 = not_http2_.load(),
          .too_slow = too_slow_.load(),
          .over_limit = over_limit_.load(),
          .alive = alive_count_.load()};
}

bool Listener::Watch(int fd, uint32_t events) const {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  return ::epoll_ctl(epoll_.Get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Listener::Run() {
  std::array<epoll_event, 32> events{};
  while (!stopping_.load()) {
    DialIfDue(clock_.Now());
    const int count = ::epoll_wait(epoll_.Get(), events.data(), static_cast<int>(events.size()), TimeoutMs());
    for (int i = 0; i < count && !stopping_.load(); ++i) Handle(events[static_cast<size_t>(i)].data.fd);
    Expire(clock_.Now());
  }
}

// A descriptor may have been closed, and its number given to another, by an earlier event of the same turn:
// every branch finds out from the socket itself what is so, none trusts the event.
void Listener::Handle(int fd) {
  if (fd == wake_.Get()) return;
  if (fd == options_.vsock.Get()) return AcceptFrom(fd, true);
  if (fd == options_.local.Get()) return AcceptFrom(fd, false);
  if (dialling_.IsOpen() && fd == dialling_.Get()) return FinishDial();
  const auto pending =
      std::find_if(pending_.begin(), pending_.end(), [&](const Pending& p) { return p.fd.Get() == fd; });
  if (pending != pending_.end()) return Examine(pending);
  const auto alive =
      std::find_if(alive_.begin(), alive_.end(), [&](const Alive& a) { return a.watch.Get() == fd; });
  if (alive != alive_.end()) Bury(alive);
}

void Listener::AcceptFrom(int listening, bool over_vsock) {
  for (int i = 0; i < kMaxAcceptsATurn; ++i) {
    auto peer = Accept(listening);
    if (!peer.ok()) {
      if (!absl::IsUnavailable(peer.status())) {
        LogWarning(StrCat("ignoring a connection: ", MessageOf(peer.status())));
        std::this_thread::sleep_for(kAcceptPause);
      }
      return;
    }
    if (!IsWelcome(*peer, over_vsock)) {
      foreign_.fetch_add(1);
      if (!std::exchange(foreign_logged_, true)) {
        LogWarning(StrCat("refusing vsock connections that are not the host's, first from CID ",
                          peer->cid.value_or(0)));
      }
      continue;
    }
    if (pending_.size() >= options_.max_pending) {
      pending_.erase(pending_.begin());
      too_slow_.fetch_add(1);
    }
    // Edge-triggered: half a preface stays in the socket and must not keep waking the thread.
    if (!Watch(peer->fd.Get(), EPOLLIN | EPOLLRDHUP | EPOLLET)) continue;
    pending_.push_back({std::move(peer->fd), clock_.Now() + options_.preface_deadline});
    Examine(pending_.end() - 1);
  }
}

void Listener::Examine(std::vector<Pending>::iterator pending) {
  const PrefaceVerdict verdict = PeekPreface(pending->fd.Get());
  if (verdict == PrefaceVerdict::kWait) return;
  UniqueFd connection = std::move(pending->fd);
  pending_.erase(pending);
  if (verdict == PrefaceVerdict::kRefuse) {
    not_http2_.fetch_add(1);
    return;
  }
  ::epoll_ctl(epoll_.Get(), EPOLL_CTL_DEL, connection.Get(), nullptr);
  Admit(std::move(connection), false);
}

void Listener::Admit(UniqueFd connection, bool dialled) {
  const bool local = !dialled && IsUnix(connection.Get());
  const auto locals =
      static_cast<size_t>(std::count_if(alive_.begin(), alive_.end(), std::mem_fn(&Alive::local)));
  // A quarter of the places is the host's.
  if (alive_.size() >= options_.max_alive ||
      (local && locals >= options_.max_alive - options_.max_alive / 4)) {
    over_limit_.fetch_add(1);
    if (!std::exchange(limit_logged_, true)) {
      LogWarning(StrCat("closing new connections: ", alive_.size(), " are open already"));
    }
    return;
  }
  UniqueFd watch(::fcntl(connection.Get(), F_DUPFD_CLOEXEC, 0));
  if (!watch.IsOpen() || !Watch(watch.Get(), EPOLLRDHUP | EPOLLET)) return;
  alive_.push_back({std::move(watch), dialled, local});
  dialled_alive_ = dialled_alive_ || dialled;
  admitted_.fetch_add(1);
  alive_count_.store(alive_.size());
  options_.serve(std::move(connection));
}

void Listener::Bury(std::vector<Alive>::iterator alive) {
  const bool dialled = alive->dialled;
  alive_.erase(alive);
  alive_count_.store(alive_.size());
  limit_logged_ = false;
  if (!dialled) return;
  dialled_alive_ = false;
  const MonotonicTime now = clock_.Now();
  if (now - dialled_at_ >= kSettled) redial_wait_ = options_.redial_min;
  next_dial_ = now + redial_wait_;
  redial_wait_ = std::min(redial_wait_ * 2, options_.redial_max);
}

void Listener::Expire(MonotonicTime now) {
  const auto late = [&](const Pending& pending) { return pending.deadline <= now; };
  too_slow_.fetch_add(static_cast<uint64_t>(std::erase_if(pending_, late)));
}

void Listener::DialIfDue(MonotonicTime now) {
  if (!options_.dial || dialling_.IsOpen() || dialled_alive_ || now < next_dial_) return;
  auto connection = options_.dial();
  if (!connection.ok()) return DialFailed(connection.status());
  dialling_ = *std::move(connection);
  if (!Watch(dialling_.Get(), EPOLLOUT | EPOLLET)) DialFailed(ErrnoStatus(errno, "epoll_ctl"));
}

void Listener::FinishDial() {
  if (auto status = SocketError(dialling_.Get()); !status.ok()) return DialFailed(status);
  ::epoll_ctl(epoll_.Get(), EPOLL_CTL_DEL, dialling_.Get(), nullptr);
  LogInfo("connected to the host");
  dial_failure_logged_ = false;
  dialled_at_ = clock_.Now();
  Admit(std::move(dialling_), true);
  if (!dialled_alive_) DialFailed(absl::ResourceExhaustedError("too many connections are open"));
}

void Listener::DialFailed(const absl::Status& status) {
  dialling_.Reset();
  if (!std::exchange(dial_failure_logged_, true)) {
    LogWarning(StrCat("cannot reach the host, trying on: ", MessageOf(status)));
  }
  next_dial_ = clock_.Now() + redial_wait_;
  redial_wait_ = std::min(redial_wait_ * 2, options_.redial_max);
}

int Listener::TimeoutMs() const {
  std::optional<MonotonicTime> next;
  if (!pending_.empty()) next = pending_.front().deadline;
  if (options_.dial && !dialling_.IsOpen() && !dialled_alive_) {
    next = next ? std::min(*next, next_dial_) : next_dial_;
  }
  if (!next) return -1;
  const int64_t wait_ns = std::max<int64_t>((*next - clock_.Now()).count, 0);
  return static_cast<int>(wait_ns / kNanosPerMilli) + 1;
}

}  // namespace ballast::agent
