// A guest that is a directory with memory blocks, a helper that does to them what a kernel would, and events
// that a test sends.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/base/units.h"
#include "common/os/unique_fd.h"
#include "guest-agent/act/helper.h"
#include "guest-agent/blocks/block_keeper.h"
#include "tests/fakes/guest_tree.h"

namespace ballast::agent {

inline constexpr int64_t kTestBlock = 128 * kMiB;

// Thread-safe, as the keeper's thread and a test both use it.
class BlockGuest final : public HelperStarter {
 public:
  // Blocks 0 to 3 are the boot's; 0 spans zones.
  BlockGuest();
  // In that directory, which is removed in the end.
  explicit BlockGuest(const std::string& root);

  void AddBlock(int64_t number, const std::string& state, const std::string& zones = "Normal Movable");
  // As its kernel does: brought online at once where auto_online_blocks says so, with the events of both.
  void Plug(int64_t first, int64_t count);
  [[nodiscard]] std::string KernelPolicy() const;  // auto_online_blocks
  void RemoveBlock(int64_t number);
  [[nodiscard]] std::string State(int64_t number) const;
  [[nodiscard]] std::string Zones(int64_t number) const;
  void Put(const std::string& path, const std::string& text) const;
  // Of a guest with such zones, each present, free and high in MiB.
  void SetZones(int64_t kernel_mib, int64_t kernel_free_mib, int64_t movable_mib) const;
  [[nodiscard]] fakes::GuestTree& Tree() { return tree_; }
  [[nodiscard]] const std::string& Root() const { return tree_.Root(); }

  // Events for a keeper that was opened with Events().
  [[nodiscard]] std::unique_ptr<UeventSource> Events();
  void Send(kernel::BlockAction action, int64_t number);
  void LoseEvents();

  // What the kernel does with a write, an errno; nothing: it spins until it is stopped. Empty: it obeys.
  std::function<std::optional<int>(int64_t number, const std::string& text)> kernel;
  // The kernel's own way.
  int Obey(int64_t number, const std::string& text);
  [[nodiscard]] std::vector<std::string> Writes() const;  // "32 online_movable"
  std::atomic<int> helpers{0};
  std::atomic<bool> no_helpers{false};
  [[nodiscard]] absl::StatusOr<std::unique_ptr<Helper>> Start() override;
  [[nodiscard]] absl::StatusOr<Outcome> Write(const Order& order, const StopWatch& watch);

  // True once `holds` does, within 10 s.
  [[nodiscard]] static bool Eventually(const std::function<bool()>& holds);

 private:
  class Source;

  fakes::GuestTree tree_;
  UniqueFd event_fd_;
  mutable std::mutex mutex_;
  std::deque<UeventSource::News> news_;
  std::vector<std::string> writes_;
};

}  // namespace ballast::agent
