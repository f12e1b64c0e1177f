#include "tests/lab/unplug_yield.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/lab/bridge_process.h"
#include "tests/lab/hotplug_guest.h"
#include "tests/lab/operator.h"

namespace ballast::lab {
namespace {

constexpr int64_t kBootMib = 512;
constexpr int kDimms = 4;
// Nearly all of the memory; of that a sixth stays, and half of what the kernel holds, so that boot memory has
// room for it.
constexpr char kWorkload[] =
    "lab-guest fragment --mib 680 --kernel-mib 90 --keep-one-of 6 > /run/fragment.log";
constexpr absl::Duration kWorkloadTime = absl::Seconds(90);

class YieldRun {
 public:
  YieldRun(PlugKind kind, bool agent) : kind_(kind), agent_(agent) {}

  absl::Status Boot() {
    GuestOptions options{.name = kind_ == PlugKind::kDimms ? "dimms" : "virtio", .memory_mib = kBootMib};
    if (kind_ == PlugKind::kDimms) {
      options.hotplug_mib = kPluggedMib;
      options.hotplug_slots = kDimms;
    } else {
      options.virtio_mem_mib = kPluggedMib;
    }
    options.free_page_reporting = false;
    options.agent = agent_;
    auto guest = Guest::Boot(options);
    if (!guest.ok()) return guest.status();
    guest_ = *std::move(guest);
    blocks_ = std::make_unique<HotplugGuest>(*guest_);
    return absl::OkStatus();
  }

  // Until all of what is plugged is online, in zones of that kind.
  absl::Status WaitForBlocks(const std::string& zone) {
    const int64_t count = kPluggedMib * kMiB / HotplugGuest::kBlock;
    const auto online = [&](const std::map<int64_t, std::string>& blocks) {
      return CountOf(blocks, StrCat("online ", zone)) >= count;
    };
    if (blocks_->Eventually(online, absl::Seconds(30))) return absl::OkStatus();
    return absl::DeadlineExceededError("what was plugged is not all online in zone " + zone);
  }

  absl::Status StartWorkload() {
    auto workload = guest_->ExecAsync(kWorkload);
    if (!workload.ok()) return workload.status();
    workload_.emplace(*std::move(workload));
    const auto said = [this](const auto&) {
      yield_.workload = blocks_->Run("cat /run/fragment.log");
      return !yield_.workload.empty();
    };
    if (!blocks_->Eventually(said, kWorkloadTime))
      return absl::DeadlineExceededError("the workload says nothing");
    if (yield_.workload.find("holds") == std::string::npos) return absl::InternalError(yield_.workload);
    const auto plugged = PluggedBytes();
    if (!plugged.ok()) return plugged.status();
    yield_.requested_bytes = *plugged;
    began_ = absl::Now();
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> PluggedBytes() {
    const auto summary = guest_->Qmp("query-memory-size-summary");
    if (!summary.ok()) return summary.status();
    return summary->as_object().at("plugged-memory").as_int64();
  }

  absl::StatusOr<Yield> End() {
    yield_.took = absl::Now() - began_;
    const auto plugged = PluggedBytes();
    if (!plugged.ok()) return plugged.status();
    yield_.left_bytes = yield_.requested_bytes - *plugged;
    yield_.workload_ran = absl::IsDeadlineExceeded(workload_->Wait(absl::Milliseconds(1)).status());
    const auto kills = guest_->OomKills();
    if (!kills.ok()) return kills.status();
    yield_.oom_kills = *kills;
    return yield_;
  }

  [[nodiscard]] Guest& guest() { return *guest_; }
  [[nodiscard]] HotplugGuest& blocks() { return *blocks_; }
  [[nodiscard]] Yield& yield() { return yield_; }

 private:
  const PlugKind kind_;
  const bool agent_;
  std::unique_ptr<Guest> guest_;
  std::unique_ptr<HotplugGuest> blocks_;
  std::optional<GuestCommand> workload_;
  absl::Time began_;
  Yield yield_;
};

std::string DimmName(int number) { return StrCat("d", number); }

absl::Status PlugPlainly(YieldRun& run, PlugKind kind) {
  run.blocks().Run("echo online > /sys/devices/system/memory/auto_online_blocks");
  if (kind == PlugKind::kVirtioMem) return run.blocks().RequestVirtioMem(kPluggedMib * kMiB);
  for (int i = 0; i < kDimms; ++i) {
    if (auto status = run.blocks().PlugDimm(DimmName(i), kPluggedMib / kDimms); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status AskPlainly(YieldRun& run, PlugKind kind) {
  if (kind == PlugKind::kVirtioMem) return run.blocks().RequestVirtioMem(0);
  for (int i = 0; i < kDimms; ++i) {
    if (auto status = run.blocks().AskForDimm(DimmName(i)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

double PercentOf(const Yield& yield) {
  return 100.0 * static_cast<double>(yield.left_bytes) / static_cast<double>(yield.requested_bytes);
}

absl::StatusOr<Yield> UnplugByBallast(PlugKind kind) {
  YieldRun run(kind, /*agent=*/true);
  if (auto status = run.Boot(); !status.ok()) return status;
  const std::string& directory = run.guest().directory();
  const std::string& name = run.guest().options().name;
  const std::string socket = directory + "/api.sock";
  // Guard: nobody but the operator takes anything.
  const auto bridge = BridgeProcess::Start({&run.guest()}, {.directory = directory,
                                                            .bridge_lines = StrCat("api = ", socket),
                                                            .guest_lines = "mode = guard",
                                                            .arguments = {}});
  if (!bridge.ok()) return bridge.status();
  Operator op(socket);
  if (auto status = op.WaitUntilKnown(name, absl::Seconds(30)); !status.ok()) return status;
  const auto grown = op.Resize(name, (kBootMib + kPluggedMib) * kMiB);
  if (!grown.ok()) return grown.status();
  if (auto status = run.WaitForBlocks("Movable"); !status.ok()) return status;
  if (auto status = run.StartWorkload(); !status.ok()) return status;
  const auto shrunk = op.Resize(name, kBootMib * kMiB);
  if (!shrunk.ok()) return shrunk.status();
  run.yield().reason = shrunk->result.complete() ? "" : shrunk->result.reason();
  run.yield().refused.assign(shrunk->result.refused().begin(), shrunk->result.refused().end());
  return run.End();
}

absl::StatusOr<Yield> UnplugPlainly(PlugKind kind, absl::Duration within) {
  YieldRun run(kind, /*agent=*/false);
  if (auto status = run.Boot(); !status.ok()) return status;
  if (auto status = PlugPlainly(run, kind); !status.ok()) return status;
  if (auto status = run.WaitForBlocks("Normal"); !status.ok()) return status;
  if (auto status = run.StartWorkload(); !status.ok()) return status;
  if (auto status = AskPlainly(run, kind); !status.ok()) return status;
  const absl::Time deadline = absl::Now() + within;
  for (auto plugged = run.PluggedBytes(); absl::Now() < deadline && plugged.ok() && *plugged > 0;
       plugged = run.PluggedBytes()) {
    absl::SleepFor(absl::Milliseconds(100));
  }
  return run.End();
}

}  // namespace ballast::lab
