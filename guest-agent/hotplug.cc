#include "guest-agent/hotplug.h"

#include <utility>

#include "common/base/text.h"
#include "common/os/log.h"
#include "guest-agent/blocks/hotplug_facts.h"

namespace ballast::agent {
namespace {

std::optional<ZoneChoice> ChoiceOf(const AgentConfig& config) {
  if (config.online == "off") return std::nullopt;
  if (config.online == "kernel") return ZoneChoice::kKernel;
  if (config.online == "movable") return ZoneChoice::kMovable;
  return ZoneChoice::kAuto;
}

HotplugFacts TakeOver(const AgentConfig& config, BlockKeeper& keeper, const KernelOnlining& onlining,
                      const std::string& kernel_release) {
  absl::Status follows = absl::NotFoundError("off");
  if (config.online != "off" && onlining.Before()) {
    follows = keeper.SteerKernel();
    if (!follows.ok() || *onlining.Before() != kernel::AutoOnline::kOffline) {
      LogInfo(StrCat(follows.ok() ? "plugged memory comes online where this agent wants it"
                                  : "the kernel goes on bringing plugged memory online as it likes: ",
                     follows.ok() ? "" : MessageOf(follows), " (auto_online_blocks was ",
                     kernel::NameOf(*onlining.Before()), ")"));
    }
  }
  HotplugFacts facts = ReadHotplugFacts(FileReader(config.root), keeper.Reader().BlockSizeBytes(),
                                        kernel_release, config.online, follows.ok());
  for (const std::string& rival : facts.rivals) {
    LogWarning(StrCat("plugged memory is also brought online by ", rival,
                      ": it may end up where it never leaves again (packaging/udev says how to stop it)"));
  }
  return facts;
}

// Absent: events cannot be had, and the blocks are looked at every second instead.
std::unique_ptr<UeventSource> OpenEvents(const AgentConfig& config) {
  // Those of this kernel say nothing of another tree.
  if (!config.root.empty() && config.root != "/") return nullptr;
  auto socket = UeventSocket::Open();
  if (socket.ok()) return std::make_unique<UeventSocket>(*std::move(socket));
  LogWarning(StrCat("memory blocks are looked at every second only: ", MessageOf(socket.status())));
  return nullptr;
}

}  // namespace

Hotplug::Hotplug(const AgentConfig& config, const Clock& clock, std::function<void()> on_thread_start,
                 AgentIdentity& identity)
    : clock_(clock), kernel_(FileReader(config.root)) {
  auto keeper = BlockKeeper::Open({.root = config.root,
                                   .online = ChoiceOf(config),
                                   .page_size_bytes = identity.machine.page_size_bytes,
                                   .on_thread_start = std::move(on_thread_start),
                                   .kernel = &kernel_},
                                  OpenEvents(config), online_helpers_, clock);
  identity.capabilities.push_back({"memory_hotplug", MessageOf(keeper.status())});
  if (!keeper.ok()) return;
  keeper_ = *std::move(keeper);
  identity.hotplug = TakeOver(config, *keeper_, kernel_, identity.machine.kernel_release);
  memmap_on_memory_ = identity.hotplug->memmap_on_memory;
  acts_.emplace(BlockActs::Options{config.root, identity.machine.page_size_bytes, {}}, *keeper_,
                call_helpers_, clock);
}

std::optional<BlockFacts> Hotplug::Facts() const {
  if (!keeper_) return std::nullopt;
  return BlockFacts{keeper_->Table().Sums(), memmap_on_memory_};
}

absl::Status Hotplug::Start(SampleLoop& loop) {
  if (!keeper_) return absl::OkStatus();
  return keeper_->Start([this, &loop](const std::vector<BlockRange>& ranges) {
    loop.Broadcast({clock_.Now(), BlocksChanged{std::make_shared<const std::vector<BlockRange>>(ranges)}});
  });
}

void Hotplug::Stop() {
  if (keeper_) keeper_->Stop();
  kernel_.Restore();
}

}  // namespace ballast::agent
