#include "tests/lab/guest_command.h"

#include <charconv>
#include <optional>

#include "absl/time/clock.h"
#include "common/base/text.h"

namespace ballast::lab {
namespace {

constexpr char kTrailerMark = '\x1e';

// Splits "output\x1e<status>\n"; nothing when the trailer has not come yet.
std::optional<ExecResult> SplitTrailer(const std::string& text) {
  if (text.empty() || text.back() != '\n') return std::nullopt;
  const size_t mark = text.rfind(kTrailerMark);
  if (mark == std::string::npos) return std::nullopt;
  ExecResult result{.status = 0, .output = text.substr(0, mark)};
  const char* const last = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data() + mark + 1, last, result.status);
  if (error != std::errc{} || end != last) return std::nullopt;
  return result;
}

}  // namespace

absl::StatusOr<GuestCommand> GuestCommand::Start(const Address& server, const std::string& command,
                                                 absl::Time deadline) {
  if (command.empty() || command.find('\n') != std::string::npos) {
    return absl::InvalidArgumentError("a guest command is one non-empty line");
  }
  absl::StatusOr<Stream> stream = Stream::Connect(server, deadline);
  if (!stream.ok()) return stream.status();
  if (absl::Status sent = stream->Write(command + "\n", deadline); !sent.ok()) return sent;
  return GuestCommand(std::move(*stream));
}

absl::StatusOr<ExecResult> GuestCommand::Wait(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  while (true) {
    if (std::optional<ExecResult> result = SplitTrailer(output_)) return *result;
    const absl::StatusOr<std::string> more = stream_.ReadSome(deadline);
    if (!more.ok()) return more.status();
    if (more->empty()) {
      return absl::UnavailableError(StrCat("the guest hung up; output so far: '", output_, "'"));
    }
    output_ += *more;
  }
}

}  // namespace ballast::lab
