#include "host-bridge/session/guest_session.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "common/base/text.h"

namespace ballast::session {

namespace asio = boost::asio;

GuestSession::GuestSession(asio::io_context& io, SessionConfig config, const Clock& clock, SessionObserver& observer)
    : io_(io), config_(std::move(config)), clock_(clock), observer_(observer), release_(io), renewal_(io) {}

GuestSession::~GuestSession() {
  if (!started_) return;
  asio::post(io_, [this] {
    stopping_ = true;
    renewal_.cancel();
    release_.cancel();
    if (conversation_) conversation_->Cancel();
    cancel_.emit(asio::cancellation_type::terminal);
  });
  ended_.get_future().wait();
}

void GuestSession::Start() {
  started_ = true;
  // Entered through post: the coroutine and its cancellation live on the I/O thread alone.
  asio::post(io_, [this] {
    asio::co_spawn(io_, Run(),
                   asio::bind_cancellation_slot(cancel_.slot(), [this](const std::exception_ptr&) { ended_.set_value(); }));
  });
}

void GuestSession::Report(SessionState state, const absl::Status& why) {
  // The same failure again and again is one piece of news.
  const std::string failure = StrCat(static_cast<int>(why.code()), MessageOf(why));
  if (state == state_ && failure == last_failure_) return;
  state_ = state;
  last_failure_ = failure;
  observer_.OnSession(state, why);
}

Task<absl::StatusOr<UniqueFd>> GuestSession::Connect() {
  if (!config_.listen) co_return co_await Dial(config_.agent, config_.dial_deadline);
  if (!listener_.ok()) listener_ = Listen(config_.agent);
  if (!listener_.ok()) co_return listener_.status();
  co_return co_await AcceptAgent(*listener_);
}

void GuestSession::SetHeld(bool held) {
  if (held_ == held) return;
  held_ = held;
  if (held) return;
  released_at_ = clock_.Now();
  release_.cancel();
}

void GuestSession::Hold() {
  asio::post(io_, [this] { SetHeld(true); });
}

void GuestSession::Release() {
  asio::post(io_, [this] { SetHeld(false); });
}

void GuestSession::Renew() {
  asio::post(io_, [this] {
    SetHeld(true);
    renewal_.expires_after(ToChrono(config_.reset_grace));
    renewal_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;  // another reset, or the end
      if (conversation_) conversation_->Cancel();
      SetHeld(false);
    });
  });
}

Task<void> GuestSession::AwaitRelease() {
  while (held_ && !stopping_) {
    release_.expires_at(asio::steady_timer::time_point::max());
    co_await release_.async_wait(kAsTuple);
  }
}

bool GuestSession::IsSilent() const {
  const MonotonicTime heard = std::max(conversation_->LastHeard(), released_at_);
  return !held_ && clock_.Now() - heard > config_.silence_limit;
}

Task<absl::Status> GuestSession::Converse(UniqueFd fd) {
  asio::steady_timer wake(io_);
  bool ended = false;
  absl::Status result;
  conversation_ = std::make_unique<Conversation>(std::move(fd), config_.watch, clock_, observer_);
  conversation_->Start([this, &wake, &ended, &result](absl::Status status) {
    asio::post(io_, [&wake, &ended, &result, status = std::move(status)] {
      ended = true;
      result = status;
      wake.cancel();
    });
  });
  // Cancelling this coroutine does not end the wait: gRPC must have let go first, and it always does.
  while (!ended) {
    wake.expires_after(ToChrono(config_.silence_limit / 4));
    co_await wake.async_wait(kAsTuple);
    if (!ended && !stopping_ && IsSilent()) conversation_->Cancel();
  }
  conversation_.reset();
  co_return result;
}

Task<void> GuestSession::Run() {
  // Cancellation wakes whatever is waited for; the loop itself decides when to leave.
  co_await asio::this_coro::throw_if_cancelled(false);
  Nanos backoff = config_.first_backoff;
  while (!stopping_) {
    co_await AwaitRelease();
    if (stopping_) co_return;
    absl::StatusOr<UniqueFd> fd = co_await Connect();
    if (stopping_) co_return;
    absl::Status failure = fd.status();
    if (fd.ok()) {
      const MonotonicTime began = clock_.Now();
      Report(SessionState::kConnected, absl::OkStatus());
      failure = co_await Converse(*std::move(fd));
      // A conversation that lived for a while was a good one: its successor may try at once again.
      if (clock_.Now() - began > config_.max_backoff) backoff = config_.first_backoff;
    }
    if (stopping_) co_return;
    Report(SessionState::kFailed, failure);
    co_await Sleep(backoff);
    backoff = std::min(backoff * 2, config_.max_backoff);
  }
}

}  // namespace ballast::session
