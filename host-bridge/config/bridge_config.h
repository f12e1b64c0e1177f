// What the operator sets: one struct, its defaults in the struct. Filled by config_files.h (files) and
// options.h (command line), printed back by print_config.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/base/units.h"
#include "common/os/log.h"
#include "common/transport/address.h"
#include "host-bridge/policy/policy_config.h"
#include "host-bridge/policy/snapshot.h"

namespace ballast::config {

// Which program runs the guest; decides how its balloon is moved.
enum class VmmKind : uint8_t { kQemu };

// Who opens the connection between bridge and agent.
enum class Link : uint8_t {
  kDial,    // the bridge dials the agent
  kListen,  // the agent dials: unix:PATH:PORT listens on PATH_PORT, vsock:CID:PORT on PORT for that CID alone
};

// The longest time between two reports the agent is asked for, by how pressed its guest is. Whole
// milliseconds.
struct ReportCadence {
  Nanos quiet = Seconds(10);          // 1s..60s
  Nanos armed = Seconds(1);           // 100ms..10s
  Nanos pressed = Milliseconds(100);  // 20ms..1s

  friend bool operator==(const ReportCadence&, const ReportCadence&) = default;
};

struct GuestEntry {
  policy::GuestLimits limits;
  VmmKind vmm = VmmKind::kQemu;
  std::string control;  // the VMM's control socket: absolute, at most 107 bytes
  Address agent;
  Link link = Link::kDial;

  friend bool operator==(const GuestEntry&, const GuestEntry&) = default;
};

struct BridgeConfig {
  std::string host_root;  // put before /proc; set where the host's /proc is mounted elsewhere (a container)
  LogLevel log_level = LogLevel::kInfo;
  // The slowest pace of decisions; a pressed guest and a VMM's event are decided on at once. 100ms..10s
  Nanos tick = Seconds(1);
  // The longest wait for one answer of a VMM before its socket counts as hung. 100ms..60s
  Nanos vmm_deadline = Seconds(2);
  ReportCadence reports;
  // At least this much of the guests' memory is kept reclaimed, down to their floors (rule 6). 0: no such
  // request.
  int64_t reclaim_hold_bytes = 0;
  std::string api;      // the socket of the operators' API: absolute, at most 107 bytes; empty: none
  std::string journal;  // where decisions are recorded (docs/journal.md); empty: nowhere
  // A journal of this size becomes PATH.1 and a new one begins. 1MiB..1TiB
  int64_t journal_max_bytes = 64 * kMiB;
  policy::PolicyConfig policy;
  std::vector<GuestEntry> guests;
  bool dry_run = false;  // decide and log, command no VMM; from the command line alone
};

}  // namespace ballast::config
