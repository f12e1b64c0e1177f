#include "tests/guest-agent/act/act_guest.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_format.h"
#include "common/base/text.h"

namespace ballast::agent {
namespace {

std::string NewRoot() {
  static std::atomic<int> number{0};
  return StrCat("/tmp/ballast-act-test.", ::getpid(), ".", ++number);
}

class GuestHelper final : public Helper {
 public:
  explicit GuestHelper(ActGuest& guest) : guest_(guest) {}
  absl::StatusOr<Outcome> Do(const Order& order, const StopWatch& watch) override {
    guest_.orders.push_back(StrCat(std::string(1, static_cast<char>(order.kind)), " ",
                                   guest_.Inside(order.path), order.text.empty() ? "" : " ", order.text));
    return guest_.kernel ? guest_.kernel(order, watch) : guest_.WriteThrough(order);
  }

 private:
  ActGuest& guest_;
};

}  // namespace

// Members are made in their order: the tree last, so its root is known to `acts` before there is anything in
// it.
ActGuest::ActGuest() : ActGuest(NewRoot()) {}

ActGuest::ActGuest(const std::string& root)
    : acts({root, MachineFacts{}, [this](Nanos span) { clock.Advance(span); }}, *this, clock),
      tree_(root, figures.total, figures.available) {
  Apply();
}

void ActGuest::Apply() {
  const auto kib = [](int64_t bytes) { return bytes / kKiB; };
  Put("/proc/meminfo",
      absl::StrFormat("MemTotal: %d kB\nMemFree: %d kB\nMemAvailable: %d kB\nBuffers: 0 kB\nCached: %d kB\n"
                      "Active(file): %d kB\nInactive(file): %d kB\nSwapTotal: %d kB\nSwapFree: %d kB\n",
                      kib(figures.total), kib(figures.available), kib(figures.available), kib(figures.cached),
                      kib(figures.active_file), kib(figures.inactive_file), kib(figures.swap_total),
                      kib(figures.swap_total)));
  Put("/proc/vmstat", absl::StrFormat("workingset_refault_anon 0\nworkingset_refault_file %d\n"
                                      "pgsteal_anon 0\npgsteal_file %d\n",
                                      figures.refaulted / 4096, figures.stolen / 4096));
}

void ActGuest::Put(const std::string& path, const std::string& text) {
  const std::filesystem::path full = Root() + path;
  std::filesystem::create_directories(full.parent_path());
  std::ofstream(full, std::ios::trunc) << text;
}

std::string ActGuest::Get(const std::string& path) const {
  std::ostringstream text;
  text << std::ifstream(Root() + path).rdbuf();
  return text.str();
}

void ActGuest::Remove(const std::string& path) { std::filesystem::remove_all(Root() + path); }

absl::StatusOr<Outcome> ActGuest::WriteThrough(const Order& order) {
  if (order.kind == OrderKind::kWrite) Put(Inside(order.path), order.text);
  return Outcome{};
}

absl::StatusOr<std::unique_ptr<Helper>> ActGuest::Start() {
  ++helpers;
  return std::make_unique<GuestHelper>(*this);
}

}  // namespace ballast::agent
