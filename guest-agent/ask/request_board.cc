#include "guest-agent/ask/request_board.h"

#include <algorithm>
#include <chrono>

#include "common/base/text.h"

namespace ballast::agent {
namespace {

using SteadyClock = std::chrono::steady_clock;

// gRPC tells a waiting thread nothing about a client that leaves.
constexpr auto kLookAround = std::chrono::milliseconds(100);
constexpr int64_t kMaxEtaMs = 3'600'000;
constexpr size_t kMaxActuator = 32;
constexpr size_t kMaxReason = 256;

absl::Status CheckGrant(const MemoryGrant& grant, int64_t asked) {
  if (grant.granted_bytes < 0 || grant.granted_bytes > asked) {
    return absl::InvalidArgumentError(StrCat("answer.granted_bytes is ", grant.granted_bytes,
                                             "; allowed: 0..", asked, ", what was asked for"));
  }
  if (grant.eta_ms < 0 || grant.eta_ms > kMaxEtaMs) {
    return absl::InvalidArgumentError(StrCat("answer.eta_ms is ", grant.eta_ms, "; allowed: 0..", kMaxEtaMs));
  }
  if (grant.actuator.size() > kMaxActuator) {
    return absl::InvalidArgumentError(
        StrCat("answer.actuator has ", grant.actuator.size(), " bytes; allowed: at most ", kMaxActuator));
  }
  if (grant.reason.size() > kMaxReason) {
    return absl::InvalidArgumentError(
        StrCat("answer.reason has ", grant.reason.size(), " bytes; allowed: at most ", kMaxReason));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<MemoryGrant> RequestBoard::Ask(MemoryRequested request, const std::function<bool()>& gone) {
  Waiting waiting;
  waiting.request = request;
  if (auto status = Hang(waiting); !status.ok()) return status;
  // Hung up before it is announced: an answer may come while the others are still being told.
  if (announce_(waiting.request) == 0) {
    TakeDown(waiting);
    return absl::UnavailableError("nobody watches this guest, so nobody can grant memory");
  }
  auto grant = WaitFor(waiting, gone);
  TakeDown(waiting);
  return grant;
}

absl::Status RequestBoard::Answer(uint64_t id, const MemoryGrant& grant) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [id](const Waiting* waiting) {
    return waiting->request.id == id && !waiting->grant;
  });
  if (found == waiting_.end()) {
    return absl::NotFoundError(
        StrCat("no request ", id, " waits (any more): answered, timed out, or its asker has left"));
  }
  if (auto status = CheckGrant(grant, (*found)->request.bytes); !status.ok()) return status;
  (*found)->grant = grant;
  (*found)->answered.notify_one();
  return absl::OkStatus();
}

absl::Status RequestBoard::Hang(Waiting& waiting) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kMaxWaiting) {
    return absl::ResourceExhaustedError(StrCat(kMaxWaiting, " requests for memory wait already"));
  }
  waiting.request.id = ++last_id_;
  waiting_.push_back(&waiting);
  return absl::OkStatus();
}

void RequestBoard::TakeDown(const Waiting& waiting) {
  const std::lock_guard lock(mutex_);
  std::erase(waiting_, &waiting);
}

absl::StatusOr<MemoryGrant> RequestBoard::WaitFor(Waiting& waiting, const std::function<bool()>& gone) {
  const auto deadline = SteadyClock::now() + std::chrono::milliseconds(waiting.request.deadline_ms);
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto until = std::min(deadline, SteadyClock::now() + kLookAround);
      waiting.answered.wait_until(lock, until, [&waiting] { return waiting.grant.has_value(); });
      if (waiting.grant) return *waiting.grant;
      if (SteadyClock::now() >= deadline) {
        std::erase(waiting_,
                   &waiting);  // under the same lock: whoever answers from now on is told that it is late
        break;
      }
    }
    if (gone()) return absl::CancelledError("the asker has left");
  }
  MemoryGrant nothing;
  nothing.reason = StrCat("nobody answered within ", waiting.request.deadline_ms, " ms");
  return nothing;
}

}  // namespace ballast::agent
