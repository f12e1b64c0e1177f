#include "host-bridge/lab/rivals/rivals.h"

#include "host-bridge/lab/rivals/ghaf.h"
#include "host-bridge/lab/rivals/hypeman.h"
#include "host-bridge/lab/rivals/mom.h"
#include "host-bridge/lab/rivals/neon.h"
#include "host-bridge/lab/rivals/nobody.h"
#include "host-bridge/lab/rivals/oracle.h"
#include "host-bridge/lab/rivals/proxmox.h"
#include "host-bridge/lab/rivals/qemus.h"
#include "host-bridge/lab/rivals/vm0.h"
#include "host-bridge/lab/rivals/vmmms.h"

namespace ballast::sim {

std::vector<ControllerKind> Rivals() {
  constexpr DeviceChoice kPlain{.deflate_on_oom = false, .free_page_reporting = false};
  constexpr DeviceChoice kDeflates{.deflate_on_oom = true, .free_page_reporting = false};
  constexpr DeviceChoice kReports{.deflate_on_oom = false, .free_page_reporting = true};
  constexpr DeviceChoice kBoth{.deflate_on_oom = true, .free_page_reporting = true};
  return {
      {"fpr-only", "Linux mm/page_reporting.c: free pages reported, no balloon", kReports, MakeFprOnly},
      {"deflate-on-oom-only",
       "Linux virtio_balloon.c: balloon to the floor once, 1 MiB back an OOM notification", kDeflates,
       MakeDeflateOnOomOnly},
      {"proxmox", "pve-manager PVE/AutoBalloon.pm: 10 s, host at 80 %, 100 MiB a cycle", kReports,
       MakeProxmox},
      {"mom", "oVirt MOM doc/balloon.rules: 10 s on means of 50 s, host 20 % free, 5 % a step", kPlain,
       MakeMom},
      {"vm0", "vm0-ai/vm0 pull request 30227: 5 s, MemFree above 384 MiB, full release below 192 MiB", kBoth,
       MakeVm0},
      {"qemus", "qemus/qemu src/balloon.py: 5 s, PI on the host at 80 %, PSI 10..50 %", kReports, MakeQemus},
      {"hypeman", "kernel/hypeman lib/guestmemory: 2 s, host at 10/15 % available, 256 MiB a step", kBoth,
       MakeHypeman},
      {"ghaf-mem-manager", "tiiuae/ghafpkgs ghaf-mem-manager: 1 s/3 s, used within 70..80 % of visible",
       kBoth, MakeGhaf},
      {"vmmms", "ChromeOS concierge/mm: guest PSI 200/400/600 ms in 2 s, host margin 5.2 %, rungs", kDeflates,
       MakeVmmms},
      {"neon", "Neon autoscaling and vm_monitor: 85 % in 500 ms, metrics 5 s, 75 % goal, 1 GiB units", kPlain,
       MakeNeon},
      {"oracle", "clairvoyant: the least size that serves, ahead of demand", kBoth, MakeOracle},
  };
}

}  // namespace ballast::sim
