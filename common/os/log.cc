#include "common/os/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

#include "absl/strings/str_format.h"
#include "common/base/text.h"
#include "common/os/clock.h"

namespace ballast {
namespace {

std::atomic<LogLevel> g_level{LogLevel::kInfo};

const MonotonicTime kStart = SystemClock().Now();

// systemd reads "<N>" as the priority of a line (sd-daemon(3)) where standard error is the journal.
std::string Prefix(LogLevel level) {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  if (journal) {
    constexpr int kPriority[] = {7, 6, 4, 3};
    return StrCat("<", kPriority[static_cast<int>(level)], ">");
  }
  const Nanos up = SystemClock().Now() - kStart;
  return absl::StrFormat("%9.3f %-7s ", static_cast<double>(up.count) / 1e9, std::string(NameOf(level)));
}

}  // namespace

std::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "?";
}

void SetLogLevel(LogLevel level) { g_level.store(level, std::memory_order_relaxed); }

void Log(LogLevel level, std::string_view text) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  std::string line = Prefix(level);
  for (const char c : text) line.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c);
  line.push_back('\n');
  // Ignoring a failed write: there is nowhere left to say so.
  [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace ballast
