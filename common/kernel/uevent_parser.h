// The kernel's device events (NETLINK_KOBJECT_UEVENT), as far as they are about memory blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ballast::kernel {

enum class BlockAction : uint8_t { kAdd, kRemove, kOnline, kOffline };

struct BlockUevent {
  BlockAction action = BlockAction::kAdd;
  int64_t number = 0;  // of the block

  friend bool operator==(const BlockUevent&, const BlockUevent&) = default;
};

// One datagram: "add@/devices/system/memory/memory32" and then KEY=value texts, each ended by a NUL. Nothing
// when it is about something else, made by hand ("udevadm trigger"), or not as the kernel writes it: events
// only say where to look. Allocates nothing.
[[nodiscard]] std::optional<BlockUevent> ParseBlockUevent(std::string_view datagram);

}  // namespace ballast::kernel
