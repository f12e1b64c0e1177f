// The QEMU command line of a lab guest, as a pure function of its options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ballast::lab {

struct GuestOptions {
  std::string name = "guest";  // names its directory and log: short, no slashes
  int64_t memory_mib = 1024;
  int64_t hotplug_mib = 0;     // room for DIMMs beyond memory_mib
  int hotplug_slots = 16;      // for them; with a vhost-user device a guest can have no more than 7 DIMMs
  int64_t virtio_mem_mib = 0;  // the most that a virtio-mem device "vm0" can take; it starts with nothing
  int cpus = 1;
  int numa_nodes = 1;  // that the memory is spread over in equal parts; all CPUs are on the first
  bool deflate_on_oom = false;
  bool free_page_reporting = true;
  int64_t zram_mib = 0;                   // swap on compressed memory
  int64_t disk_mib = 0;                   // /dev/vda, sparse and zero: page cache for `lab-guest cache`
  bool agent = true;                      // start ballast-agent at boot
  std::vector<std::string> agent_args{};  // without spaces and commas
  std::string kernel{};                   // empty: the one that was fetched
  std::string initramfs{};                // empty: the one that was built
  std::vector<std::string> qemu_args{};   // appended
};

// Paths and the accelerator a guest runs with.
struct QemuPlaces {
  std::string qemu{};
  std::string accelerator{};  // "tcg" or "kvm"
  std::string kernel{};
  std::string initramfs{};
  std::string serial_log{};
  std::string bridge_qmp{};
  std::string test_qmp{};
  std::string vsock_socket{};  // of vhost-device-vsock; empty: the host kernel's vsock with guest_cid
  uint32_t guest_cid = 3;      // 0 and no vsock_socket: no vsock at all
  std::string disk{};          // empty: none
};

[[nodiscard]] std::vector<std::string> QemuCommand(const GuestOptions& options, const QemuPlaces& places);

}  // namespace ballast::lab
