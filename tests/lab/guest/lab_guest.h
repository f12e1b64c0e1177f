// The lab's static helper inside test guests: one program, one subcommand per file.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace ballast::lab::guest {

// "--name value" pairs; a name without a value is "1".
class Options {
 public:
  Options(int argc, char** argv);
  // The value of --name as a number, or `fallback` when it is absent or not a number.
  int64_t Number(const std::string& name, int64_t fallback) const;
  std::string Text(const std::string& name, const std::string& fallback) const;

 private:
  std::map<std::string, std::string> values_;
};

int64_t NowMs();  // CLOCK_MONOTONIC
void SleepUntilMs(int64_t when_ms);

// Runs shell commands for the host: one vsock connection (port 5000) is one line with a command; the answer
// is its output as it comes, then "\x1e<exit status>\n". A command whose connection is closed is killed. Does
// not return.
int Serve(const Options& options);

// Fills memory at a given rate (--quick-mib of it as fast as it can), holds it, proves that it still holds
// what was written. With --threads several of its threads do, without the proof, while the first one ends.
int Hog(const Options& options);

// Reads a block device through the page cache: memory that is used yet reclaimable. Once or several times
// from its start, then, with --random-mib-s, single pages of it in random order at that pace.
int Cache(const Options& options);

// Samples what a recording of the guest's memory needs, one line each (times in ms, sizes in KiB): t_ms
// balloon total free available file_cache anon swapped, then counters: refaulted pages, PSI "some" in us, OOM
// kills. Printed at the end, so that the witness needs nothing while memory is short.
int Sample(const Options& options);

// Samples a zram device that is the guest's swap, one line each: t_ms, bytes of original and compressed data,
// memory used and its limit, same-filled pages, then in KiB what is swapped, MemAvailable and the balloon,
// and OOM kills. Printed at the end.
int Zram(const Options& options);

// A storm of allocators: --workers processes that each take memory page by page until they hold --mib, touch
// it again and again in random order, and are started anew whenever one is killed, for --seconds. Half of
// each page does not compress. The parent itself is never a victim and says at the end how many were.
int Storm(const Options& options);

// What many use instead of an agent: a loop that opens and reads memory's files every --ms (1000) and prints
// MemAvailable in KiB. Does not return.
int Poll(const Options& options);

// MemAvailable and the kernel's count of OOM kills.
int Stat(const Options& options);

// Memory that cannot be moved, for --hold-ms: --mib of the program's own pages that pipes refer to, or with
// --kernel of the kernel's pages that hold what was written into pipes.
int Pin(const Options& options);

// Anonymous memory, --mib, and kernel memory that cannot be moved, --kernel-mib in pipes beside directories
// and page tables, taken in turns; then every other piece of the kernel's is let go, and of the anonymous all
// but one in --keep-one-of. Says what it holds once that is done, and works on it until it is killed.
int Fragment(const Options& options);

// The events of memory blocks within --seconds, one line each: microseconds of CLOCK_MONOTONIC, action,
// number. Printed at the end.
int Uevents(const Options& options);

}  // namespace ballast::lab::guest
