#include "tests/lab/qemu_command.h"

#include "absl/strings/str_join.h"
#include "common/base/text.h"

namespace ballast::lab {
namespace {

std::string KernelCommandLine(const GuestOptions& options) {
  // The serial port is the slowest part of an emulated boot, hence quiet; panic=-1 reboots at once.
  std::string line = "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off";
  if (!options.agent) line += StrCat(" lab.agent=0");
  if (!options.agent_args.empty()) line += StrCat(" lab.agent_args=", absl::StrJoin(options.agent_args, ","));
  if (options.zram_mib > 0) line += StrCat(" lab.zram_mib=", options.zram_mib);
  return line;
}

std::string OnOff(bool on) { return on ? "on" : "off"; }

void Append(std::vector<std::string>* command, std::initializer_list<std::string> words) {
  command->insert(command->end(), words);
}

void AppendMonitor(std::vector<std::string>* command, const std::string& name, const std::string& path) {
  Append(command, {"-chardev", StrCat("socket,id=", name, ",path=", path, ",server=on,wait=off"), "-mon",
                   StrCat("chardev=", name, ",mode=control")});
}

}  // namespace

std::vector<std::string> QemuCommand(const GuestOptions& options, const QemuPlaces& places) {
  std::vector<std::string> command{places.qemu, "-nodefaults", "-no-user-config", "-display", "none"};
  // QEMU 7.2 emulates cmpxchg16b with broken flags: guests with newer kernels crash within seconds.
  const bool emulated = places.accelerator == "tcg";
  Append(&command, {"-accel", places.accelerator, "-cpu", emulated ? "max,-cx16" : "max"});
  std::string memory = StrCat("size=", options.memory_mib, "M");
  if (options.hotplug_mib > 0) memory += StrCat(",slots=", options.hotplug_slots);
  if (const int64_t more = options.hotplug_mib + options.virtio_mem_mib; more > 0) {
    memory += StrCat(",maxmem=", options.memory_mib + more, "M");
  }
  Append(&command, {"-m", memory, "-smp", StrCat(options.cpus), "-machine",
                    StrCat("q35,hpet=off,sata=off,smbus=off,usb=off",
                           options.numa_nodes > 1 ? "" : ",memory-backend=ram0")});
  // vhost-user devices read the guest's memory themselves, hence the shared backend.
  for (int node = 0; node < options.numa_nodes; ++node) {
    const int64_t mib = options.memory_mib / options.numa_nodes;
    Append(&command, {"-object", StrCat("memory-backend-memfd,id=ram", node, ",size=", mib, "M,share=on")});
    if (options.numa_nodes == 1) continue;
    const std::string cpus = node == 0 ? StrCat(",cpus=0-", options.cpus - 1) : "";
    Append(&command, {"-numa", StrCat("node,nodeid=", node, cpus, ",memdev=ram", node)});
  }
  if (options.virtio_mem_mib > 0) {
    Append(&command,
           {"-object",
            StrCat("memory-backend-memfd,id=vmem0,size=", options.virtio_mem_mib, "M,share=on,reserve=off"),
            "-device", "virtio-mem-pci,id=vm0,memdev=vmem0,requested-size=0,block-size=2M"});
  }
  Append(&command,
         {"-kernel", places.kernel, "-initrd", places.initramfs, "-append", KernelCommandLine(options)});
  Append(&command, {"-serial", StrCat("file:", places.serial_log)});
  AppendMonitor(&command, "bridge", places.bridge_qmp);
  AppendMonitor(&command, "test", places.test_qmp);
  Append(&command,
         {"-device", StrCat("virtio-balloon-pci,id=balloon0,deflate-on-oom=", OnOff(options.deflate_on_oom),
                            ",free-page-reporting=", OnOff(options.free_page_reporting))});
  if (places.vsock_socket.empty() && places.guest_cid != 0) {
    Append(&command, {"-device", StrCat("vhost-vsock-pci,guest-cid=", places.guest_cid)});
  } else if (!places.vsock_socket.empty()) {
    Append(&command, {"-chardev", StrCat("socket,id=vsock,path=", places.vsock_socket), "-device",
                      "vhost-user-vsock-pci,chardev=vsock"});
  }
  if (!places.disk.empty()) {
    Append(&command, {"-drive", StrCat("if=none,id=disk,format=raw,file=", places.disk), "-device",
                      "virtio-blk-pci,drive=disk"});
  }
  command.insert(command.end(), options.qemu_args.begin(), options.qemu_args.end());
  return command;
}

}  // namespace ballast::lab
