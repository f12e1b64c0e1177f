#include "host-bridge/session/guest_session.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "common/base/text.h"

namespace ballast::session {

namespace asio = boost::asio;

GuestSession::GuestSession(asio::io_context& io, CallQueue& calls, SessionConfig config, const Clock& clock,
                           SessionObserver& observer)
    : io_(io),
      calls_(calls),
      config_(std::move(config)),
      clock_(clock),
      observer_(observer),
      stopped_(config_.held_at_start),
      release_(io),
      renewal_(io) {}

GuestSession::~GuestSession() {
  if (!started_) return;
  asio::post(io_, [this] {
    stopping_ = true;
    renewal_.cancel();
    release_.cancel();
    if (conversation_) conversation_->Cancel(absl::CancelledError("stopping"));
    cancel_.emit(asio::cancellation_type::terminal);
  });
  ended_.get_future().wait();
  if (listener_.ok()) StopListening(*listener_);
}

void GuestSession::Start() {
  started_ = true;
  // Entered through post: the coroutine and its cancellation live on the I/O thread alone.
  asio::post(io_, [this] {
    asio::co_spawn(io_, Run(),
                   asio::bind_cancellation_slot(cancel_.slot(),
                                                [this](const std::exception_ptr&) { ended_.set_value(); }));
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

void GuestSession::SetHold(bool& reason, bool held) {
  const bool before = IsHeld();
  reason = held;
  if (!before || IsHeld()) return;
  released_at_ = clock_.Now();
  release_.cancel();
}

void GuestSession::Hold() {
  asio::post(io_, [this] { SetHold(stopped_, true); });
}

void GuestSession::Release() {
  asio::post(io_, [this] { SetHold(stopped_, false); });
}

void GuestSession::Renew() {
  asio::post(io_, [this] {
    SetHold(renewing_, true);
    renewal_.expires_after(ToChrono(config_.reset_grace));
    renewal_.async_wait([this, meant = conversations_](const boost::system::error_code& error) {
      if (error) return;  // another reset, or the end
      // What was said to the former life of a guest that is stopped by now stays unsaid; it will be found
      // silent.
      if (conversation_ && conversations_ == meant && !stopped_) {
        conversation_->Cancel(absl::UnavailableError("the guest was reset"));
      }
      SetHold(renewing_, false);
    });
  });
}

void GuestSession::Answer(const MemoryAnswer& answer) {
  asio::post(io_, [this, answer] {
    if (conversation_ && !IsHeld()) conversation_->Answer(answer);
  });
}

void GuestSession::Order(const observe::BlockOrder& order) {
  asio::post(io_, [this, order] {
    if (conversation_ && !IsHeld() && conversation_->Order(order)) return;
    const char* why = IsHeld() ? "the guest does not run" : "there is no link to its agent";
    observer_.OnBlocks({.id = order.id, .status = absl::UnavailableError(why)});
  });
}

void GuestSession::CallOff(uint64_t order) {
  asio::post(io_, [this, order] {
    if (conversation_ && !IsHeld()) conversation_->CallOff(order);
  });
}

Task<void> GuestSession::AwaitRelease() {
  while (IsHeld() && !stopping_) {
    release_.expires_at(asio::steady_timer::time_point::max());
    co_await release_.async_wait(kAsTuple);
  }
}

bool GuestSession::IsSilent() const {
  const MonotonicTime heard = std::max(conversation_->LastHeard(), released_at_);
  return !IsHeld() && clock_.Now() - heard > config_.silence_limit;
}

Task<absl::Status> GuestSession::Converse(UniqueFd fd) {
  asio::steady_timer wake(io_);
  bool ended = false;
  absl::Status result;
  ++conversations_;
  conversation_ =
      std::make_unique<Conversation>(std::move(fd), config_.watch, calls_, clock_, observer_, known_verdict_);
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
    if (!ended && !stopping_ && IsSilent()) {
      conversation_->Cancel(absl::DeadlineExceededError(
          StrCat("nothing was heard for ", config_.silence_limit.count / 1'000'000'000, " s")));
    }
  }
  conversation_.reset();
  co_return result;
}

Task<absl::Status> GuestSession::Attempt() {
  absl::StatusOr<UniqueFd> fd = co_await Connect();
  if (!fd.ok() || stopping_) co_return fd.status();
  // The guest may have stopped meanwhile: then the first word waits until it runs.
  co_await AwaitRelease();
  if (stopping_) co_return absl::CancelledError("stopping");
  Report(SessionState::kConnected, absl::OkStatus());
  co_return co_await Converse(*std::move(fd));
}

Task<void> GuestSession::Run() {
  // Cancellation wakes whatever is waited for; the loop itself decides when to leave.
  co_await asio::this_coro::throw_if_cancelled(false);
  Nanos backoff = config_.first_backoff;
  while (!stopping_) {
    co_await AwaitRelease();
    if (stopping_) co_return;
    const MonotonicTime began = clock_.Now();
    absl::Status failure;
    try {
      failure = co_await Attempt();
    } catch (const std::exception& error) {
      // Asio throws where a descriptor cannot be watched: out of memory or of watches. That may pass.
      failure = absl::ResourceExhaustedError(error.what());
    }
    if (stopping_) co_return;
    Report(SessionState::kFailed, failure);
    // One that lived for a while was a good one: its successor may try at once again.
    if (clock_.Now() - began > config_.max_backoff) backoff = config_.first_backoff;
    co_await Sleep(backoff);
    backoff = std::min(backoff * 2, config_.max_backoff);
  }
}

}  // namespace ballast::session
