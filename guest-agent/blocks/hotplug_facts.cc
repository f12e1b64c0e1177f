#include "guest-agent/blocks/hotplug_facts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <utility>

#include "common/base/text.h"
#include "common/kernel/memory_block_parser.h"
#include "common/kernel/udev_rules_parser.h"
#include "guest-agent/blocks/block_reader.h"

namespace ballast::agent {
namespace {

constexpr const char* kPolicy = "/sys/devices/system/memory/auto_online_blocks";
constexpr const char* kMemmap = "/sys/module/memory_hotplug/parameters/memmap_on_memory";
// Its driver plugs parts of blocks, whose metadata always comes from the memory there is.
constexpr const char* kVirtioMem = "/sys/bus/virtio/drivers/virtio_mem";
// In udev's order: a file of an earlier folder replaces those of the same name in later ones.
constexpr std::array<const char*, 4> kRuleFolders{"/etc/udev/rules.d", "/run/udev/rules.d",
                                                  "/usr/local/lib/udev/rules.d", "/usr/lib/udev/rules.d"};
constexpr size_t kMaxRuleFiles = 1024;
constexpr size_t kMaxRuleBytes = 256 * 1024;

// From 6.8 on each block of a device carries its own metadata; before only devices of a single block did.
bool EachBlockCarriesItsOwn(std::string_view release) {
  constexpr std::pair<int, int> kFirst{6, 8};
  std::pair<int, int> version{0, 0};
  const char* const end = release.data() + release.size();
  const auto [dot, error] = std::from_chars(release.data(), end, version.first);
  if (error != std::errc{} || dot == end || *dot != '.') return false;
  return std::from_chars(dot + 1, end, version.second).ec == std::errc{} && version >= kFirst;
}

std::string KernelPolicy(const FileReader& files) {
  const auto text = files.Read(kPolicy, 64);
  if (!text.ok()) return "";
  const auto policy = kernel::ParseAutoOnline(*text);
  return policy.ok() ? std::string(kernel::NameOf(*policy)) : "";
}

bool CarriesMetadata(const FileReader& files, const std::string& release) {
  const auto text = files.Read(kMemmap, 64);
  if (!text.ok() || files.Exists(kVirtioMem)) return false;
  const auto on = kernel::ParseSwitch("memmap_on_memory", *text);
  return on.ok() && *on && EachBlockCarriesItsOwn(release);
}

// The rule files in force, by name; one of no content masks those behind it.
std::map<std::string, std::string> RuleFiles(const FileReader& files) {
  std::map<std::string, std::string> in_force;
  for (const char* folder : kRuleFolders) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(files.PathOf(folder), ignored)) {
      const std::string name = entry.path().filename();
      if (in_force.size() == kMaxRuleFiles) return in_force;
      if (name.ends_with(".rules")) in_force.emplace(name, StrCat(folder, "/", name));
    }
  }
  return in_force;
}

}  // namespace

HotplugFacts ReadHotplugFacts(const FileReader& files, int64_t block_size_bytes,
                              const std::string& kernel_release, std::string agent_policy,
                              bool kernel_follows) {
  HotplugFacts facts{.block_size_bytes = block_size_bytes,
                     .kernel_policy = KernelPolicy(files),
                     .agent_policy = std::move(agent_policy),
                     .memmap_on_memory = CarriesMetadata(files, kernel_release),
                     .rivals = {}};
  if (!kernel_follows && !facts.kernel_policy.empty() && facts.kernel_policy != "offline") {
    facts.rivals.push_back(StrCat("the kernel's own policy, auto_online_blocks = ", facts.kernel_policy));
  }
  for (const auto& [name, path] : RuleFiles(files)) {
    const auto rules = files.Read(path, kMaxRuleBytes);
    if (!rules.ok() || !kernel::BringsMemoryOnline(*rules)) continue;
    if (facts.rivals.size() == kMaxRivals) break;
    facts.rivals.push_back(path);
  }
  return facts;
}

}  // namespace ballast::agent
