#include "guest-agent/ask/ask_command.h"

#include <boost/program_options.hpp>
#include <charconv>
#include <ostream>
#include <sstream>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/base/size_text.h"
#include "common/base/text.h"

namespace ballast::agent {
namespace {

namespace po = boost::program_options;

constexpr int kAll = 0;
constexpr int kNothing = 1;
constexpr int kPart = 3;
constexpr int64_t kMaxBytes = int64_t{1} << 50;
constexpr int64_t kMaxDeadlineMs = 60'000;
constexpr size_t kMaxSocketPath = 107;  // the kernel's limit for a socket's name

// As typed.
struct RawOptions {
  std::string size;
  std::string urgency = "normal";
  std::string deadline = "2s";
};

po::options_description Described(AskOptions& options, RawOptions& raw) {
  po::options_description described("Options");
  described.add_options()(
      "urgency", po::value(&raw.urgency)->value_name("low|normal|kill"),
      "low: from what the host has to spare; kill: something is killed otherwise (default normal)")(
      "deadline", po::value(&raw.deadline)->value_name("TIME"),
      "how long to wait for an answer, as 500ms or 2s, at most 60s (default 2s)")(
      "asker", po::value(&options.asker)->value_name("NAME"),
      "who asks, for the host's log; at most 64 bytes")(
      "socket", po::value(&options.socket)->value_name("PATH"),
      "the agent's local socket (default /run/ballast/agent.sock)")("json", po::bool_switch(&options.json),
                                                                    "answer as one JSON object")(
      "help", po::bool_switch(&options.help), "print this and exit");
  return described;
}

void ReadBytes(const RawOptions& raw, AskOptions& options, std::vector<std::string>& faults) {
  const auto bytes = ParseSize(raw.size);
  if (!bytes.ok()) {
    faults.push_back(MessageOf(bytes.status()));
  } else if (*bytes < 1 || *bytes > kMaxBytes) {
    faults.push_back(StrCat("size '", raw.size, "': allowed are 1KiB..1024TiB"));
  } else {
    options.bytes = *bytes;
  }
}

void ReadUrgency(const RawOptions& raw, AskOptions& options, std::vector<std::string>& faults) {
  if (raw.urgency == "low") {
    options.urgency = Urgency::kLow;
  } else if (raw.urgency == "kill") {
    options.urgency = Urgency::kKill;
  } else if (raw.urgency != "normal") {
    faults.push_back(StrCat("urgency '", raw.urgency, "': allowed are low, normal, kill"));
  }
}

void ReadDeadline(const RawOptions& raw, AskOptions& options, std::vector<std::string>& faults) {
  int64_t number = 0;
  const auto [end, error] =
      std::from_chars(raw.deadline.data(), raw.deadline.data() + raw.deadline.size(), number);
  const std::string_view unit(end, static_cast<size_t>(raw.deadline.data() + raw.deadline.size() - end));
  const int64_t scale = unit == "ms" ? 1 : unit == "s" ? 1000 : 0;
  if (error != std::errc{} || scale == 0 || number < 1 || number > kMaxDeadlineMs / scale) {
    faults.push_back(
        StrCat("deadline '", raw.deadline, "': write for example 500ms or 2s; allowed are 1ms..60s"));
    return;
  }
  options.deadline_ms = number * scale;
}

void CheckNames(const AskOptions& options, std::vector<std::string>& faults) {
  if (!options.socket.starts_with('/') || options.socket.size() > kMaxSocketPath) {
    faults.push_back(StrCat("socket '", options.socket, "': must be an absolute path of at most ",
                            kMaxSocketPath, " bytes"));
  }
  if (options.asker.size() > AskerName{}.text.size()) {
    faults.push_back(StrCat("asker '", options.asker, "': at most ", AskerName{}.text.size(), " bytes"));
  }
}

// For a JSON text: quotes, backslashes and control characters escaped.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += absl::StrFormat("\\u%04x", static_cast<unsigned char>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

}  // namespace

absl::StatusOr<AskOptions> ParseAskOptions(int argc, const char* const* argv) {
  AskOptions options;
  RawOptions raw;
  po::options_description all = Described(options, raw);
  all.add_options()("size", po::value(&raw.size));
  po::positional_options_description positional;
  positional.add("size", 1);
  try {
    const std::vector<std::string> arguments(argv, argv + argc);
    po::variables_map values;
    po::store(po::command_line_parser(arguments).options(all).positional(positional).run(), values);
    po::notify(values);
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
  if (options.help) return options;
  std::vector<std::string> faults;
  ReadBytes(raw, options, faults);
  ReadUrgency(raw, options, faults);
  ReadDeadline(raw, options, faults);
  CheckNames(options, faults);
  if (faults.empty()) return options;
  std::string text;
  for (const std::string& fault : faults) text += StrCat(text.empty() ? "" : "\n", fault);
  return absl::InvalidArgumentError(ToAbsl(text));
}

std::string AskHelp() {
  AskOptions options;
  RawOptions raw;
  std::ostringstream help;
  help << "Usage: ballast-agent ask SIZE [OPTION]...\n"
          "Asks the host for SIZE more memory (as 256MiB) and waits for the answer.\n\n"
       << Described(options, raw)
       << "\nExit code: 0 all of it was granted (it arrives within the time that is printed), 3 a part of "
          "it,\n"
          "1 nothing, or the question could not be put; the reason is printed.\n";
  return help.str();
}

std::string ToText(const AskOptions& options, const MemoryGrant& grant) {
  if (grant.granted_bytes == 0) return StrCat("nothing granted: ", grant.reason);
  const bool all = grant.granted_bytes >= options.bytes;
  return StrCat("granted ", FormatSize(grant.granted_bytes),
                all ? "" : StrCat(" of ", FormatSize(options.bytes)),
                grant.actuator.empty() ? "" : StrCat(" by ", grant.actuator), ", here within ", grant.eta_ms,
                " ms", grant.reason.empty() ? "" : StrCat(": ", grant.reason));
}

std::string ToJson(const AskOptions& options, const MemoryGrant& grant) {
  return StrCat("{\"asked_bytes\":", options.bytes, ",\"granted_bytes\":", grant.granted_bytes,
                ",\"actuator\":", Quoted(grant.actuator), ",\"eta_ms\":", grant.eta_ms,
                ",\"reason\":", Quoted(grant.reason), "}");
}

int ExitCodeOf(const AskOptions& options, const MemoryGrant& grant) {
  if (grant.granted_bytes <= 0) return kNothing;
  return grant.granted_bytes >= options.bytes ? kAll : kPart;
}

int RunAsk(int argc, const char* const* argv, std::ostream& out, std::ostream& error) {
  const auto options = ParseAskOptions(argc, argv);
  if (!options.ok()) {
    error << "ballast-agent ask: " << MessageOf(options.status()) << "\nsee ballast-agent ask --help\n";
    return kNothing;
  }
  if (options->help) {
    out << AskHelp();
    return kAll;
  }
  auto grant = AskAgent(*options);
  if (!grant.ok()) {
    // In JSON an error is an answer like any other: nothing, and why.
    const MemoryGrant nothing{0, "", 0, MessageOf(grant.status())};
    if (options->json) out << ToJson(*options, nothing) << '\n';
    error << "ballast-agent ask: " << nothing.reason << '\n';
    return kNothing;
  }
  out << (options->json ? ToJson(*options, *grant) : ToText(*options, *grant)) << '\n';
  return ExitCodeOf(*options, *grant);
}

}  // namespace ballast::agent
