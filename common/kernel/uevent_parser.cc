#include "common/kernel/uevent_parser.h"

#include <array>
#include <utility>

#include "common/kernel/memory_block_parser.h"

namespace ballast::kernel {
namespace {

constexpr std::string_view kFolder = "/devices/system/memory/";
constexpr std::array<std::pair<std::string_view, BlockAction>, 4> kActions{
    {{"add", BlockAction::kAdd},
     {"remove", BlockAction::kRemove},
     {"online", BlockAction::kOnline},
     {"offline", BlockAction::kOffline}}};

// The first text without its NUL, removed from `rest`.
std::string_view TakeText(std::string_view& rest) {
  const size_t end = rest.find('\0');
  const std::string_view text = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return text;
}

// Somebody who writes to a device's file uevent makes one (SYNTH_UUID): nothing has happened.
bool IsOfMemoryAndReal(std::string_view rest) {
  bool of_memory = false;
  while (!rest.empty()) {
    const std::string_view text = TakeText(rest);
    if (text.starts_with("SYNTH_UUID=")) return false;
    of_memory = of_memory || text == "SUBSYSTEM=memory";
  }
  return of_memory;
}

}  // namespace

std::optional<BlockUevent> ParseBlockUevent(std::string_view datagram) {
  const std::string_view heading = TakeText(datagram);
  const size_t at = heading.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view path = heading.substr(at + 1);
  if (!path.starts_with(kFolder) || !IsOfMemoryAndReal(datagram)) return std::nullopt;
  const auto number = BlockNumberOf(path.substr(kFolder.size()));
  if (!number) return std::nullopt;
  for (const auto& [name, action] : kActions) {
    if (heading.substr(0, at) == name) return BlockUevent{action, *number};
  }
  return std::nullopt;
}

}  // namespace ballast::kernel
