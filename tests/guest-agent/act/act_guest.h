// A guest that is a directory, with what acts read, and a helper that does to it what a kernel would.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/units.h"
#include "guest-agent/act/acts.h"
#include "guest-agent/act/helper.h"
#include "tests/fakes/guest_tree.h"

namespace ballast::agent {

class StoryClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime Now() const override { return now_; }
  void Advance(Nanos span) { now_ = now_ + span; }

 private:
  MonotonicTime now_{Seconds(1000).count};
};

// What the guest's kernel says of its memory.
struct Figures {
  int64_t total = 2 * kGiB;
  int64_t available = 1536 * kMiB;
  int64_t cached = 512 * kMiB;
  int64_t active_file = 64 * kMiB;
  int64_t inactive_file = 448 * kMiB;
  int64_t swap_total = 0;
  int64_t stolen = 0;     // bytes
  int64_t refaulted = 0;  // bytes
};

class ActGuest : public HelperStarter {
 public:
  ActGuest();

  // Applied by Apply().
  Figures figures;
  void Apply();
  void SetStall(Nanos total) { tree_.SetStall(total.count / 1000, 0); }
  void Put(const std::string& path, const std::string& text);
  [[nodiscard]] std::string Get(const std::string& path) const;
  void Remove(const std::string& path);

  // What the helper does with an order: the default writes the text to the file.
  std::function<absl::StatusOr<Outcome>(const Order&, const StopWatch&)> kernel;
  [[nodiscard]] absl::StatusOr<Outcome> WriteThrough(const Order& order);
  // "w /sys/fs/cgroup/memory.reclaim 33554432", ...; paths without the root.
  std::vector<std::string> orders;
  int helpers = 0;
  [[nodiscard]] absl::StatusOr<std::unique_ptr<Helper>> Start() override;

  [[nodiscard]] const std::string& Root() const { return tree_.Root(); }
  // An Order's path as the guest sees it.
  [[nodiscard]] std::string Inside(const std::string& path) const { return path.substr(Root().size()); }

  StoryClock clock;
  Acts acts;

 private:
  explicit ActGuest(const std::string& root);

  fakes::GuestTree tree_;
};

}  // namespace ballast::agent
