#include "guest-agent/survival/own_memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "absl/strings/str_split.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "common/os/file_reader.h"
#include "common/os/unique_fd.h"

namespace ballast::agent {
namespace {

// Freed memory at the heap's end is kept up to this much; glibc's default would keep 128 KiB and fetch it
// again from the kernel with every larger message.
constexpr int kKeptHeapBytes = 512 * 1024;
// Larger pieces are mapped and unmapped one by one; with the default of 128 KiB gRPC's buffers for one
// connection stay in the heap either way.
constexpr int kMappedAloneBytes = 256 * 1024;

// A report is filled, encoded and written within this much of stack (measured: 9 KiB for the deepest of the
// sampling thread, 21 KiB for a watcher's), and a page more than that may have to be waited for.
constexpr size_t kHotStackBytes = 24 * 1024;

// MADV_DONTNEED_LOCKED, newer than some C libraries.
constexpr int kDontNeedLocked = 24;

std::optional<uintptr_t> Hex(std::string_view text) {
  uintptr_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "5581a000-5581b000 r-xp 00000000 fd:01 1234 /path": nothing when it is not such a line.
struct Header {
  AddressRange range;
  bool clean_file = false;  // as far as the header tells
};

std::optional<Header> ParseHeader(std::string_view line) {
  const size_t dash = line.find('-');
  const size_t space = line.find(' ');
  if (dash == std::string_view::npos || space == std::string_view::npos || dash > space) return std::nullopt;
  const auto begin = Hex(line.substr(0, dash));
  const auto end = Hex(line.substr(dash + 1, space - dash - 1));
  if (!begin || !end || *begin >= *end) return std::nullopt;
  const std::string_view permissions = line.substr(space + 1, 4);
  const bool from_file = line.find('/', space) != std::string_view::npos;
  return Header{{*begin, *end},
                from_file && permissions.size() == 4 && permissions[0] == 'r' && permissions[1] == '-' &&
                    permissions[3] == 'p'};
}

// Locked pages need a word of their own, which kernels before 5.18 do not know: there they stay.
bool Drop(AddressRange range) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel wrote the number
  void* const begin = reinterpret_cast<void*>(range.begin);
  const size_t size = range.end - range.begin;
  return ::madvise(begin, size, MADV_DONTNEED) == 0 || ::madvise(begin, size, kDontNeedLocked) == 0;
}

bool SaysZero(std::string_view line) { return line.find_first_of("123456789") == std::string_view::npos; }

}  // namespace

std::vector<AddressRange> CleanFileMappings(std::string_view smaps) {
  std::vector<AddressRange> clean;
  std::optional<Header> current;
  const auto finish = [&] {
    if (current && current->clean_file) clean.push_back(current->range);
    current.reset();
  };
  while (!smaps.empty()) {
    const size_t end = smaps.find('\n');
    const std::string_view line = smaps.substr(0, end);
    smaps.remove_prefix(end == std::string_view::npos ? smaps.size() : end + 1);
    if (const auto header = ParseHeader(line)) {
      finish();
      current = header;
      continue;
    }
    // Relocated constants are read-only by now but exist nowhere else. (Dirty pages alone mean nothing: on
    // tmpfs all are.)
    const bool counts_own = line.starts_with("Anonymous:") || line.starts_with("Swap:");
    if (current && counts_own && !SaysZero(line)) current->clean_file = false;
  }
  finish();
  return clean;
}

std::optional<AddressRange> StackMapping(std::string_view smaps) {
  while (!smaps.empty()) {
    const size_t end = smaps.find('\n');
    const std::string_view line = smaps.substr(0, end);
    smaps.remove_prefix(end == std::string_view::npos ? smaps.size() : end + 1);
    const auto header = ParseHeader(line);
    if (header && line.ends_with(" [stack]")) return header->range;
  }
  return std::nullopt;
}

void BoundMemory() {
  (void)::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);  // a kernel without huge pages refuses
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_TRIM_THRESHOLD, kKeptHeapBytes);
  ::mallopt(M_MMAP_THRESHOLD, kMappedAloneBytes);
}

namespace {

std::atomic<bool> locked = false;  // this process

// What runs from here on mostly stays within this; pages below it come back when they are touched.
constexpr uintptr_t kPresentStackBytes = 16 * 1024;

// What the start needed of the stack and nobody will again.
[[gnu::noinline]] int64_t DropStackBelow(const std::optional<AddressRange>& stack) {
  const char here = 0;
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t end = (reinterpret_cast<uintptr_t>(&here) - kPresentStackBytes) & ~(page - 1);
  if (!stack || end <= stack->begin || end >= stack->end) return 0;
  return Drop({stack->begin, end}) ? static_cast<int64_t>(end - stack->begin) : 0;
}

int64_t DropMappedPages() {
  const auto smaps = FileReader().Read("/proc/self/smaps");
  if (!smaps.ok()) return 0;
  int64_t bytes = DropStackBelow(StackMapping(*smaps));
  for (const AddressRange& range : CleanFileMappings(*smaps)) {
    if (Drop(range)) bytes += static_cast<int64_t>(range.end - range.begin);
  }
  return bytes;
}

}  // namespace

int64_t DropColdPages() {
  // Of locked memory the heap's free pages cannot be let go.
  if (locked) ::munlockall();
  ::malloc_trim(0);
  const int64_t bytes = DropMappedPages();
  if (locked) (void)LockMemory();  // as it did the first time
  return bytes;
}

absl::Status LockMemory() {
  // Of what is locked nothing can be let go page by page.
  ::malloc_trim(0);
  locked = ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
  return locked ? absl::OkStatus() : ErrnoStatus(errno, "mlockall");
}

[[gnu::noinline]] void PrefaultStack() {
  volatile char room[kHotStackBytes];
  for (size_t i = 0; i < sizeof room; i += 1024) room[i] = 0;
}

}  // namespace ballast::agent
