// An operator's wish for a guest's size, on its way from an API call to the control thread and back.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "common/base/time.h"
#include "host-bridge/observe/blocks.h"
#include "host-bridge/policy/resize.h"

namespace ballast::control {

struct ResizeProgress {
  size_t step = 0;
  int64_t size_bytes = 0;
};

struct ResizeResult {
  int64_t size_bytes = 0;
  absl::Status status = {};  // OK: the plan was carried out
  std::vector<observe::BlockRefusal> refused = {};
};

// How a resize goes: a refusal alone, or a plan, progress, and, unless it is a dry run, a result.
struct ResizeRefusal {
  absl::Status status;
};
using ResizeNews = std::variant<ResizeRefusal, policy::ResizePlan, ResizeProgress, ResizeResult>;

// The caller's end of a resize: news in order; of progress that nobody read yet only the latest is kept.
class ResizeTicket {
 public:
  ResizeTicket(std::string guest, int64_t size_bytes, bool dry_run)
      : guest_(std::move(guest)), size_bytes_(size_bytes), dry_run_(dry_run) {}

  [[nodiscard]] const std::string& guest() const { return guest_; }
  [[nodiscard]] int64_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] bool dry_run() const { return dry_run_; }

  // Control thread.
  void Tell(ResizeNews news);
  // The next news, or nothing after `most`.
  [[nodiscard]] std::optional<ResizeNews> Next(Nanos most);

 private:
  const std::string guest_;
  const int64_t size_bytes_;
  const bool dry_run_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::deque<ResizeNews> news_;
};

// Wishes that wait for the control thread.
class ResizeBox {
 public:
  // False when too many wait already.
  [[nodiscard]] bool Put(std::shared_ptr<ResizeTicket> ticket);
  [[nodiscard]] std::vector<std::shared_ptr<ResizeTicket>> Take();

 private:
  static constexpr size_t kMost = 64;
  std::mutex mutex_;
  std::vector<std::shared_ptr<ResizeTicket>> waiting_;
};

}  // namespace ballast::control
