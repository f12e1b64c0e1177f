// The agent's own memory: little of it, and none that has to be found while the guest has none.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace ballast::agent {

// Before the first thread: one heap for all of them (each would else get its own), which keeps what it was
// grown to, so that a busy moment needs no new pages; and no huge pages, of which one thread's stack would
// take one for a few KiB.
void BoundMemory();

// In the main thread. Lets go of the heap's free pages, of its stack below the present depth, and of the
// pages of the program's file. Of those the ones in use come back at once, from the page cache; those that
// only the start or the making of a connection needed do not. For that moment nothing is locked. Returns how
// many bytes of mappings were let go.
int64_t DropColdPages();

// From now on no page of this process leaves memory once it was touched. Pages that were never touched are
// not brought in: of a thread's 8 MiB of stack a few KiB are used. Errors: the kernel's; it takes
// CAP_IPC_LOCK.
[[nodiscard]] absl::Status LockMemory();

// In a thread that must not wait for memory: has its stack brought in before that is urgent.
void PrefaultStack();

struct AddressRange {
  uintptr_t begin = 0;
  uintptr_t end = 0;

  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

// Of a /proc/PID/smaps: the mappings of files that are not writable and hold no page of their own (as
// relocated constants do), so that their pages can be dropped without loss. Lines that make no sense are
// passed over.
[[nodiscard]] std::vector<AddressRange> CleanFileMappings(std::string_view smaps);

// The main thread's stack; nothing when no line tells.
[[nodiscard]] std::optional<AddressRange> StackMapping(std::string_view smaps);

}  // namespace ballast::agent
