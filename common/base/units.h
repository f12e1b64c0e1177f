// Byte quantities whose meaning is part of their type. Every VMM uses its own sign for the balloon
// (QEMU: memory the guest keeps; Firecracker: memory taken), and mixing them up is this field's
// commonest bug, so the two are different types and only an actuator converts between them.
#pragma once

#include <compare>
#include <cstdint>

namespace ballast {

inline constexpr int64_t kKiB = int64_t{1} << 10;
inline constexpr int64_t kMiB = int64_t{1} << 20;
inline constexpr int64_t kGiB = int64_t{1} << 30;

// Bytes *taken* from the guest by its balloon. 0 = the guest has everything it booted with.
struct BalloonBytes {
  int64_t count = 0;
  friend constexpr auto operator<=>(BalloonBytes, BalloonBytes) = default;
};

// Bytes the guest can see (QEMU's and libvirt's number): boot RAM + DIMMs - balloon; virtio-mem apart.
struct GuestVisibleBytes {
  int64_t count = 0;
  friend constexpr auto operator<=>(GuestVisibleBytes, GuestVisibleBytes) = default;
};

constexpr GuestVisibleBytes ToGuestVisible(BalloonBytes balloon, int64_t base_bytes) {
  return {base_bytes - balloon.count};
}
constexpr BalloonBytes ToBalloon(GuestVisibleBytes visible, int64_t base_bytes) {
  return {base_bytes - visible.count};
}

}  // namespace ballast
