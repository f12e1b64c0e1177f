#include "tests/bench/blocks_bench.h"

#include <unistd.h>

#include <algorithm>
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
constexpr int kGuests = 3;
constexpr int kAllDimms = kDimms * kGuests;

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

// The three ways take turns in one guest; the first DIMM of all makes the zone, and counts for none.
absl::Status MeasureGuest(Guests& sum) {
  auto guest = lab::Guest::Boot(
      {.name = "blocks", .memory_mib = 1024, .hotplug_mib = 4096, .free_page_reporting = false});
  if (!guest.ok()) return guest.status();
  lab::HotplugGuest blocks(**guest);
  if (auto status = blocks.Connect(); !status.ok()) return status;
  if (const auto warm = PlugOne(**guest, blocks, "warm"); !warm.ok()) return warm.status();
  const std::string policy = "/sys/devices/system/memory/auto_online_blocks";
  blocks.Run(StrCat("cat ", policy, " > /run/by-default"));
  for (int i = 0; i < kDimms; ++i) {
    blocks.Run(StrCat("kill -STOP $(pidof ballast-agent); echo online_movable > ", policy));
    const auto kernel = PlugOne(**guest, blocks, StrCat("kernel", i));
    if (!kernel.ok()) return kernel.status();
    blocks.Run(StrCat("echo offline > ", policy, "; kill -CONT $(pidof ballast-agent)"));
    const auto written = PlugOne(**guest, blocks, StrCat("written", i));
    if (!written.ok()) return written.status();
    blocks.Run(StrCat("cat /run/by-default > ", policy));
    const auto agent = PlugOne(**guest, blocks, StrCat("agent", i));
    if (!agent.ok()) return agent.status();
    sum.kernel_ms += kernel->all;
    sum.written_ms += written->all;
    sum.agent_ms += agent->all;
    sum.agent_waits.insert(sum.agent_waits.end(), agent->waits.begin(), agent->waits.end());
  }
  return absl::OkStatus();
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
  Guests guests;
  for (int i = 0; i < kGuests; ++i) {
    if (auto status = MeasureGuest(guests); !status.ok()) return status;
  }
  const double ratio = guests.agent_ms / guests.kernel_ms;
  figures.push_back(
      {"block_online_guest_p50_ms", Percentile(guests.agent_waits, 0.5), "ms", "", std::nullopt, "",
       absl::StrFormat("an emulated guest's own events, add to online, %d blocks of %d DIMMs; the "
                       "kernel's work included",
                       guests.agent_waits.size(), kAllDimms)});
  figures.push_back(
      {"block_online_vs_kernel_ratio", ratio, "ratio", "<= 1.1", ratio <= 1.1,
       absl::StrFormat("the kernel itself %.1f ms", guests.kernel_ms / kAllDimms),
       absl::StrFormat("first add to last online of a DIMM of %d MiB, %.1f ms with the agent; %d DIMMs each, "
                       "in turns in %d guests",
                       kDimmMib, guests.agent_ms / kAllDimms, kAllDimms, kGuests)});
  figures.push_back(
      {"block_online_written_vs_kernel_ratio", guests.written_ms / guests.kernel_ms, "ratio", "",
       std::nullopt, "",
       absl::StrFormat("the same by the agent's own writes, %.1f ms, as where Movable has its share",
                       guests.written_ms / kAllDimms)});
  return figures;
}

}  // namespace ballast::bench
