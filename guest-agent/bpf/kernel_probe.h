// The programs of witness.bpf.c and watch.bpf.c, loaded and attached, and what they say.
#pragma once

#include <linux/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "guest-agent/bpf/kernel_event.h"
#include "guest-agent/bpf/memory_watch.h"
#include "guest-agent/bpf/stall_counts.h"

namespace ballast::agent {

// What the programs tell; the arguments are valid during the call.
class KernelListener {
 public:
  virtual ~KernelListener() = default;
  virtual void OnOomBegins(const ballast_oom_begins& event) = 0;
  virtual void OnOomKill(const ballast_oom_kill& event) = 0;
  virtual void OnStall(const ballast_stall& event) = 0;
};

// Why a signal does not come from these programs, in one sentence; empty: it does.
struct ProbeReasons {
  std::string oom_kill;
  std::string oom_begin;
  std::string direct_reclaim;
  std::string memory_watch;
};

// Used by one thread, but for Stalls() and what Watch() returns.
class KernelProbe {
 public:
  // Loads and attaches what this kernel takes; one program it refuses does not cost the others. Never fails:
  // Reasons() says what is missing. Takes some 100 ms and, for that time, some 10 MB: to be done once, at the
  // start.
  [[nodiscard]] static KernelProbe Load();
  // Nothing loaded, for the reason given.
  [[nodiscard]] static KernelProbe None(const std::string& reason);

  KernelProbe(KernelProbe&&) noexcept;
  KernelProbe& operator=(KernelProbe&&) noexcept;
  ~KernelProbe();

  [[nodiscard]] const ProbeReasons& Reasons() const { return reasons_; }
  // Readable when there is something to Drain; -1: nothing was loaded.
  [[nodiscard]] int Fd() const;
  // Hands on what has come. Allocates nothing.
  void Drain(KernelListener& listener);
  // Since they were attached; nothing when stalls are not seen. Thread-safe; costs no call into the kernel.
  [[nodiscard]] std::optional<StallCounts> Stalls() const;
  // Belongs to this probe; null when it was not loaded.
  [[nodiscard]] MemoryWatch* Watch() const;

 private:
  struct Loaded;
  KernelProbe(std::unique_ptr<Loaded> loaded, ProbeReasons reasons);

  std::unique_ptr<Loaded> loaded_;
  ProbeReasons reasons_;
};

}  // namespace ballast::agent
