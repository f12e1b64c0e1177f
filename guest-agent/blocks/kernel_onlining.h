// What the kernel does by itself with memory that is plugged: its file auto_online_blocks. It brings a block
// online under the lock that the addition holds anyway; whoever writes the block's state waits for that lock
// in steps of 5 ms.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/kernel/memory_block_parser.h"
#include "common/os/file_reader.h"

namespace ballast::agent {

// Of one thread at a time.
class KernelOnlining {
 public:
  // Remembers what is set, or what an agent found that was killed, as long as what that one set stands: it is
  // kept in /run/ballast/auto_online_blocks, for this boot. Where that cannot be written it is forgotten.
  explicit KernelOnlining(const FileReader& files);
  // As Restore.
  ~KernelOnlining();
  KernelOnlining(const KernelOnlining&) = delete;
  KernelOnlining& operator=(const KernelOnlining&) = delete;

  // For what is still to be plugged. Writes only when the wish is another one than before, so that who sets
  // something else meanwhile is left alone until then. A kernel that knows no zones here (before 5.7) is set
  // to offline instead. Errors: as errno says; NOT_FOUND: it brings nothing online by itself.
  absl::Status Set(kernel::AutoOnline wish);
  // True while the kernel brings online what is added, by whomever that was set.
  [[nodiscard]] bool IsOn() const;
  // What was found at first; the caller sets nothing any more.
  void Restore();

  // Absent: there is no such file.
  [[nodiscard]] std::optional<kernel::AutoOnline> Before() const { return before_; }

 private:
  [[nodiscard]] std::optional<kernel::AutoOnline> Read() const;
  [[nodiscard]] absl::Status Write(kernel::AutoOnline policy) const;
  [[nodiscard]] std::optional<kernel::AutoOnline> FoundBefore() const;
  void Keep(kernel::AutoOnline set) const;

  const FileReader files_;
  const std::string boot_id_;
  const std::optional<kernel::AutoOnline> before_;
  std::optional<kernel::AutoOnline> wish_;
};

}  // namespace ballast::agent
