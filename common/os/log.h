// One line an event on standard error: "<level> <text>". systemd's journal adds time and unit; where it does
// not (a terminal), the line starts with seconds since the program began. Loops and main log, libraries do
// not.
#pragma once

#include <string_view>

namespace ballast {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning" or "error".
[[nodiscard]] std::string_view NameOf(LogLevel level);

// Lines below this level are dropped. Set once, before threads start.
void SetLogLevel(LogLevel level);

// Thread-safe: one write(2) a line. Control characters are replaced, so that text from a guest or a VMM
// cannot forge a line.
void Log(LogLevel level, std::string_view text);

inline void LogInfo(std::string_view text) { Log(LogLevel::kInfo, text); }
inline void LogWarning(std::string_view text) { Log(LogLevel::kWarning, text); }
inline void LogError(std::string_view text) { Log(LogLevel::kError, text); }

}  // namespace ballast
