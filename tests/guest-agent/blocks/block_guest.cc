#include "tests/guest-agent/blocks/block_guest.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/str_format.h"
#include "common/base/text.h"

namespace ballast::agent {
namespace {

std::string NewRoot() {
  static std::atomic<int> number{0};
  return StrCat("/tmp/ballast-blocks-test.", ::getpid(), ".", ++number);
}

std::string FolderOf(int64_t number) { return StrCat(kMemoryFolder, "/memory", number); }

}  // namespace

class BlockGuest::Source final : public UeventSource {
 public:
  explicit Source(BlockGuest& guest) : guest_(guest) {}
  [[nodiscard]] int Fd() const override { return guest_.event_fd_.Get(); }
  [[nodiscard]] News Take() override {
    const std::lock_guard lock(guest_.mutex_);
    if (guest_.news_.empty()) {
      uint64_t count = 0;
      [[maybe_unused]] const ssize_t n = ::read(guest_.event_fd_.Get(), &count, sizeof count);
      return {};
    }
    const News news = guest_.news_.front();
    guest_.news_.pop_front();
    return news;
  }

 private:
  BlockGuest& guest_;
};

BlockGuest::BlockGuest() : BlockGuest(NewRoot()) {}

BlockGuest::BlockGuest(const std::string& root)
    : tree_(root, 4 * kGiB, 3 * kGiB), event_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  Put(StrCat(kMemoryFolder, "/block_size_bytes"), "8000000\n");
  Put(StrCat(kMemoryFolder, "/auto_online_blocks"), "offline\n");
  AddBlock(0, "online", "none");
  for (int64_t number = 1; number < 4; ++number) AddBlock(number, "online", "DMA32");
  SetZones(512, 400, 0);
}

void BlockGuest::Put(const std::string& path, const std::string& text) const {
  const std::filesystem::path full = Root() + path;
  std::filesystem::create_directories(full.parent_path());
  // Renamed into place, so that nobody reads half of it.
  const std::filesystem::path fresh = full.string() + ".new";
  std::ofstream(fresh, std::ios::trunc) << text;
  std::filesystem::rename(fresh, full);
}

void BlockGuest::SetZones(int64_t kernel_mib, int64_t kernel_free_mib, int64_t movable_mib) const {
  const auto zone = [](const char* name, int64_t mib, int64_t free_mib) {
    return absl::StrFormat(
        "Node 0, zone %8s\n  pages free     %d\n        min      256\n        low      512\n"
        "        high     768\n        spanned  %d\n        present  %d\n        managed  %d\n",
        name, free_mib * 256, mib * 256, mib * 256, mib * 256);
  };
  Put("/proc/zoneinfo",
      zone("DMA32", kernel_mib, kernel_free_mib) + zone("Movable", movable_mib, movable_mib));
}

void BlockGuest::AddBlock(int64_t number, const std::string& state, const std::string& zones) {
  Put(FolderOf(number) + "/valid_zones", zones + "\n");
  Put(FolderOf(number) + "/state", state + "\n");
}

void BlockGuest::Plug(int64_t first, int64_t count) {
  for (int64_t number = first; number < first + count; ++number) {
    AddBlock(number, "offline");
    Send(kernel::BlockAction::kAdd, number);
  }
  if (KernelPolicy() == "offline") return;
  for (int64_t number = first; number < first + count; ++number) {
    if (Obey(number, KernelPolicy()) == 0) Send(kernel::BlockAction::kOnline, number);
  }
}

std::string BlockGuest::KernelPolicy() const {
  const auto text = FileReader(Root()).Read(StrCat(kMemoryFolder, "/auto_online_blocks"));
  return text.ok() ? text->substr(0, text->find('\n')) : "";
}

void BlockGuest::RemoveBlock(int64_t number) { std::filesystem::remove_all(Root() + FolderOf(number)); }

std::string BlockGuest::State(int64_t number) const {
  return FileReader(Root()).Read(FolderOf(number) + "/state").value_or("");
}

std::string BlockGuest::Zones(int64_t number) const {
  return FileReader(Root()).Read(FolderOf(number) + "/valid_zones").value_or("");
}

std::unique_ptr<UeventSource> BlockGuest::Events() { return std::make_unique<Source>(*this); }

void BlockGuest::Send(kernel::BlockAction action, int64_t number) {
  const std::lock_guard lock(mutex_);
  news_.push_back({UeventSource::Kind::kBlock, {action, number}});
  ::eventfd_write(event_fd_.Get(), 1);
}

void BlockGuest::LoseEvents() {
  const std::lock_guard lock(mutex_);
  news_.assign(1, {UeventSource::Kind::kLost, {}});
  ::eventfd_write(event_fd_.Get(), 1);
}

int BlockGuest::Obey(int64_t number, const std::string& text) {
  if (State(number).empty()) return ENOENT;
  const bool offline = text == "offline";
  if (State(number) == (offline ? "offline\n" : "online\n")) return EINVAL;
  Put(FolderOf(number) + "/valid_zones", offline                    ? "Normal Movable\n"
                                         : text == "online_movable" ? "Movable\n"
                                                                    : "Normal\n");
  Put(FolderOf(number) + "/state", offline ? "offline\n" : "online\n");
  return 0;
}

std::vector<std::string> BlockGuest::Writes() const {
  const std::lock_guard lock(mutex_);
  return writes_;
}

absl::StatusOr<Outcome> BlockGuest::Write(const Order& order, const StopWatch& watch) {
  const std::string prefix = Root() + std::string(kMemoryFolder) + "/memory";
  const int64_t number = std::stoll(order.path.substr(prefix.size()));
  {
    const std::lock_guard lock(mutex_);
    writes_.push_back(StrCat(number, " ", order.text));
  }
  const std::optional<int> error = kernel ? kernel(number, order.text) : Obey(number, order.text);
  if (error) return Outcome{std::nullopt, *error, ""};
  while (true) {
    if (const auto stop = watch()) return Outcome{stop, 0, ""};
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

absl::StatusOr<std::unique_ptr<Helper>> BlockGuest::Start() {
  class GuestHelper final : public Helper {
   public:
    explicit GuestHelper(BlockGuest& guest) : guest_(guest) {}
    absl::StatusOr<Outcome> Do(const Order& order, const StopWatch& watch) override {
      return guest_.Write(order, watch);
    }

   private:
    BlockGuest& guest_;
  };
  if (no_helpers) return absl::ResourceExhaustedError("no helper to be had");
  ++helpers;
  return std::make_unique<GuestHelper>(*this);
}

bool BlockGuest::Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < deadline) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return holds();
}

}  // namespace ballast::agent
