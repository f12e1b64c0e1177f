#include "tests/bench/blocks_bench.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/guest-agent/blocks/block_guest.h"
#include "tests/lab/hotplug_guest.h"

namespace ballast::bench {
namespace {

using Time = std::chrono::steady_clock::time_point;

constexpr int64_t kKnownBlocks = 10'000;
constexpr int64_t kNewBlocks = 500;
constexpr int64_t kDimmMib = 384;  // three blocks: within the share of Movable for all of them
constexpr int kDimms = 2;          // of each kind, in each guest; more than seven QEMU does not share
constexpr int kGuests = 6;
constexpr int kAllDimms = kDimms * kGuests;
static_assert(kAllDimms % 6 == 0, "each order equally often");

double Millis(Time from, Time to) { return std::chrono::duration<double, std::milli>(to - from).count(); }

// From the event until the block's state was written, in a tree of 10,000 blocks, one block at a time.
absl::StatusOr<std::vector<double>> MeasureTree() {
  agent::BlockGuest guest(StrCat("/dev/shm/ballast-bench-blocks.", ::getpid()));
  for (int64_t i = 0; i < kKnownBlocks; ++i) guest.AddBlock(100 + i, "online", "Normal");
  std::mutex mutex;
  std::map<int64_t, Time> written;
  guest.kernel = [&](int64_t number, const std::string& text) -> std::optional<int> {
    const int error = guest.Obey(number, text);
    const std::lock_guard lock(mutex);
    written[number] = std::chrono::steady_clock::now();
    return error;
  };
  const SystemClock clock;
  auto keeper = agent::BlockKeeper::Open({.root = guest.Root(),
                                          .online = agent::ZoneChoice::kAuto,
                                          .page_size_bytes = 4096,
                                          .on_thread_start = {}},
                                         guest.Events(), guest, clock);
  if (!keeper.ok()) return keeper.status();
  if (auto status = (*keeper)->Start({}); !status.ok()) return status;
  std::vector<double> waits;
  for (int64_t i = 0; i < kNewBlocks; ++i) {
    const int64_t number = 20'000 + i;
    guest.AddBlock(number, "offline");
    const Time sent = std::chrono::steady_clock::now();
    guest.Send(kernel::BlockAction::kAdd, number);
    const auto done = [&] {
      const std::lock_guard lock(mutex);
      return written.contains(number);
    };
    if (!agent::BlockGuest::Eventually(done)) return absl::DeadlineExceededError("a block stayed offline");
    const std::lock_guard lock(mutex);
    waits.push_back(Millis(sent, written[number]));
  }
  return waits;
}

// What a guest's kernel said of one DIMM's blocks, in milliseconds.
struct Plug {
  std::vector<double> waits;  // of each block: from `add` to `online`
  double all = 0;             // from the first `add` to the last `online`
};

absl::StatusOr<Plug> PlugOne(lab::Guest& guest, lab::HotplugGuest& blocks, const std::string& name) {
  auto witness = guest.ExecAsync("lab-guest uevents --seconds 2");
  if (!witness.ok()) return witness.status();
  absl::SleepFor(absl::Milliseconds(500));
  if (auto status = blocks.PlugDimm(name, kDimmMib); !status.ok()) return status;
  const auto seen = witness->Wait(absl::Seconds(20));
  if (!seen.ok()) return seen.status();
  std::istringstream lines(seen->output);
  std::map<int64_t, double> added;
  Plug plug;
  double first = 0;
  std::string action;
  double at_us = 0;
  for (int64_t number = 0; lines >> at_us >> action >> number;) {
    if (action == "add") {
      if (added.empty()) first = at_us;
      added[number] = at_us;
    } else if (action == "online" && added.contains(number)) {
      plug.waits.push_back((at_us - added[number]) / 1000);
      plug.all = (at_us - first) / 1000;
    }
  }
  if (plug.waits.size() == kDimmMib / 128) return plug;
  return absl::InternalError(StrCat("not all blocks of ", name, " came online: ", seen->output));
}

struct Guests {
  std::vector<double> agent_waits;
  double agent_ms = 0;    // of all DIMMs, in a guest with an agent as it is by default
  double written_ms = 0;  // the same where the kernel leaves the blocks to it
  double kernel_ms = 0;   // the kernel alone
};

// How blocks come online.
enum class Way : uint8_t { kKernel, kWritten, kAgent };
using Order = std::array<Way, 3>;

// A DIMM that comes later, and one that comes after another way's, takes longer whatever its own way is: a
// kernel that was compared with itself in a fixed order came to 1.6. So each order has its turn.
Order OrderOf(int round) {
  Order order{Way::kKernel, Way::kWritten, Way::kAgent};
  for (int i = 0; i < round % 6; ++i) std::next_permutation(order.begin(), order.end());
  return order;
}

void Prepare(lab::HotplugGuest& blocks, Way way) {
  const std::string policy = "/sys/devices/system/memory/auto_online_blocks";
  switch (way) {
    case Way::kKernel:
      blocks.Run(StrCat("kill -STOP $(pidof ballast-agent); echo online_movable > ", policy));
      return;
    case Way::kWritten:
      blocks.Run(StrCat("echo offline > ", policy, "; kill -CONT $(pidof ballast-agent)"));
      return;
    case Way::kAgent:
      blocks.Run(StrCat("cat /run/by-default > ", policy, "; kill -CONT $(pidof ballast-agent)"));
      return;
  }
}

// The three ways take turns in one guest; the first DIMM of all makes the zone, and counts for none.
absl::Status MeasureGuest(int cpus, int first_round, Guests& sum) {
  auto guest = lab::Guest::Boot({.name = "blocks",
                                 .memory_mib = 1024,
                                 .hotplug_mib = 4096,
                                 .cpus = cpus,
                                 .free_page_reporting = false});
  if (!guest.ok()) return guest.status();
  lab::HotplugGuest blocks(**guest);
  if (auto status = blocks.Connect(); !status.ok()) return status;
  if (const auto warm = PlugOne(**guest, blocks, "warm"); !warm.ok()) return warm.status();
  blocks.Run("cat /sys/devices/system/memory/auto_online_blocks > /run/by-default");
  for (int round = first_round; round < first_round + kDimms; ++round) {
    for (const Way way : OrderOf(round)) {
      Prepare(blocks, way);
      const auto plug = PlugOne(**guest, blocks, StrCat("dimm-", round, "-", static_cast<int>(way)));
      if (!plug.ok()) return plug.status();
      (way == Way::kKernel    ? sum.kernel_ms
       : way == Way::kWritten ? sum.written_ms
                              : sum.agent_ms) += plug->all;
      if (way == Way::kAgent)
        sum.agent_waits.insert(sum.agent_waits.end(), plug->waits.begin(), plug->waits.end());
    }
  }
  return absl::OkStatus();
}

void AddFigures(int cpus, const Guests& guests, std::vector<Figure>& figures) {
  const std::string where = cpus == 1 ? "block_online_one_cpu" : "block_online";
  const double ratio = guests.agent_ms / guests.kernel_ms;
  figures.push_back(
      {where + "_guest_p50_ms", Percentile(guests.agent_waits, 0.5), "ms", "", std::nullopt, "",
       absl::StrFormat("an emulated guest's own events, add to online, %d blocks of %d DIMMs; the "
                       "kernel's work included",
                       guests.agent_waits.size(), kAllDimms)});
  figures.push_back(
      {where + "_vs_kernel_ratio", ratio, "ratio", "<= 1.1", ratio <= 1.1,
       absl::StrFormat("the kernel itself %.1f ms", guests.kernel_ms / kAllDimms),
       absl::StrFormat("first add to last online of a DIMM of %d MiB, %.1f ms with the agent; %d DIMMs each, "
                       "in turns, in all orders, in %d guests with %d processors",
                       kDimmMib, guests.agent_ms / kAllDimms, kAllDimms, kGuests, cpus)});
  figures.push_back(
      {where + "_written_vs_kernel_ratio", guests.written_ms / guests.kernel_ms, "ratio", "", std::nullopt,
       "",
       absl::StrFormat("the same by the agent's own writes, %.1f ms, as where Movable has its share",
                       guests.written_ms / kAllDimms)});
}

}  // namespace

absl::StatusOr<std::vector<Figure>> MeasureBlocks() {
  const auto waits = MeasureTree();
  if (!waits.ok()) return waits.status();
  const double p50 = Percentile(*waits, 0.5);
  const double p99 = Percentile(*waits, 0.99);
  const std::string how = absl::StrFormat(
      "from the event to the written state, %d blocks plugged into a tree of %d", kNewBlocks, kKnownBlocks);
  std::vector<Figure> figures{{"block_online_p50_ms", p50, "ms", "", std::nullopt, "", how},
                              {"block_online_p99_ms", p99, "ms", "<= 5", p99 <= 5, "", how}};
  // With one processor whoever looks keeps the kernel from its work.
  for (const int cpus : {2, 1}) {
    Guests guests;
    for (int i = 0; i < kGuests; ++i) {
      if (auto status = MeasureGuest(cpus, i * kDimms, guests); !status.ok()) return status;
    }
    AddFigures(cpus, guests, figures);
  }
  return figures;
}

}  // namespace ballast::bench
