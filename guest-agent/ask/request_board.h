// Where requests for memory hang until somebody answers them. Each asker waits in a thread of its own, so
// their number is bounded.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "guest-agent/ask/memory_request.h"

namespace ballast::agent {

// Thread-safe.
class RequestBoard {
 public:
  static constexpr size_t kMaxWaiting = 16;

  // Shows a request to those who can answer it and returns how many they are; one may answer before it
  // returns.
  using Announce = std::function<size_t(const MemoryRequested&)>;

  explicit RequestBoard(Announce announce) : announce_(std::move(announce)) { waiting_.reserve(kMaxWaiting); }
  RequestBoard(const RequestBoard&) = delete;
  RequestBoard& operator=(const RequestBoard&) = delete;

  // Waits until it is answered, or until its deadline (a grant of 0 bytes that says so). `gone`: whether the
  // asker has left; looked at every 100 ms. Errors: UNAVAILABLE when nobody can answer, RESOURCE_EXHAUSTED
  // when kMaxWaiting wait, CANCELLED when the asker has left.
  [[nodiscard]] absl::StatusOr<MemoryGrant> Ask(MemoryRequested request, const std::function<bool()>& gone);

  // The first answer counts. Errors: NOT_FOUND when no request with this id waits; INVALID_ARGUMENT naming
  // the field: granted_bytes 0..asked, eta_ms 0..3600000, actuator at most 32 and reason at most 256 bytes.
  [[nodiscard]] absl::Status Answer(uint64_t id, const MemoryGrant& grant);

 private:
  struct Waiting {
    MemoryRequested request;
    std::optional<MemoryGrant> grant;
    std::condition_variable answered;
  };

  [[nodiscard]] absl::Status Hang(Waiting& waiting);
  void TakeDown(const Waiting& waiting);
  [[nodiscard]] absl::StatusOr<MemoryGrant> WaitFor(Waiting& waiting, const std::function<bool()>& gone);

  const Announce announce_;
  std::mutex mutex_;
  std::vector<Waiting*> waiting_;  // on the askers' stacks
  uint64_t last_id_ = 0;
};

}  // namespace ballast::agent
