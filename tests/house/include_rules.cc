#include "tests/house/include_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace ballast::house {
namespace {

// Kinds of headers that are not the project's own; a rule names these or the beginning of a project path.
//   std    <vector>              threads  <thread>, <mutex>, <atomic> and their like
//   posix  <unistd.h>, <sys/socket.h>, <linux/vm_sockets.h>
//   absl   absl/...              asio, program_options, json: the three parts of Boost in use
//   grpc   grpc/, grpcpp/        wire   generated *.pb.h and what of protobuf they need
//   test   gtest, gmock, benchmark
struct Rule {
  std::string_view scope;  // the beginning of the paths it is for; the longest match holds
  std::vector<std::string_view> allowed;
};

const std::vector<Rule>& Rules() {
  static const auto& rules = *new std::vector<Rule>{
      {"common/base/", {"std", "absl", "common/base/"}},
      {"common/kernel/", {"std", "absl", "common/base/", "common/kernel/"}},
      {"common/os/", {"std", "threads", "posix", "absl", "common/base/", "common/os/"}},
      {"common/transport/", {"std", "posix", "absl", "common/base/", "common/os/", "common/transport/"}},
      {"common/config/", {"std", "program_options", "common/base/", "common/config/"}},
      {"common/journal/",
       {"std", "threads", "posix", "absl", "common/base/", "common/os/", "common/journal/"}},

      {"guest-agent/bpf/", {"std", "posix", "absl", "common/base/", "common/os/", "guest-agent/bpf/"}},
      {"guest-agent/oom/",
       {"std", "threads", "posix", "absl", "common/base/", "common/kernel/", "common/os/", "guest-agent/bpf/",
        "guest-agent/oom/"}},
      {"guest-agent/sensors/",
       {"std", "posix", "absl", "common/base/", "common/kernel/", "common/os/", "guest-agent/sensors/"}},
      {"guest-agent/act/",
       {"std", "threads", "posix", "absl", "common/base/", "common/kernel/", "common/os/",
        "guest-agent/sensors/", "guest-agent/act/"}},
      {"guest-agent/blocks/",
       {"std", "threads", "posix", "absl", "common/base/", "common/kernel/", "common/os/",
        "guest-agent/sensors/", "guest-agent/act/", "guest-agent/blocks/"}},
      {"guest-agent/ask/",
       {"std", "threads", "posix", "absl", "program_options", "grpc", "wire", "common/base/", "common/os/",
        "common/transport/", "guest-agent/ask/"}},
      {"guest-agent/service/",
       {"std", "threads", "posix", "absl", "grpc", "wire", "common/", "guest-agent/"}},
      {"guest-agent/survival/",
       {"std", "threads", "posix", "absl", "common/base/", "common/os/", "guest-agent/survival/"}},
      {"guest-agent/", {"std", "posix", "absl", "program_options", "grpc", "common/", "guest-agent/"}},

      {"host-bridge/policy/", {"std", "common/base/", "host-bridge/policy/"}},
      {"host-bridge/observe/",
       {"std", "absl", "common/base/", "common/kernel/", "common/os/", "host-bridge/policy/snapshot.h",
        "host-bridge/observe/"}},
      {"host-bridge/observe/convert_",
       {"std", "absl", "wire", "common/base/", "host-bridge/policy/snapshot.h",
        "host-bridge/policy/oom_verdict.h", "host-bridge/observe/"}},
      {"host-bridge/session/",
       {"std", "threads", "posix", "absl", "asio", "grpc", "wire", "common/", "host-bridge/policy/",
        "host-bridge/observe/", "host-bridge/session/"}},
      {"host-bridge/vmm/",
       {"std", "threads", "posix", "absl", "asio", "json", "common/base/", "common/kernel/", "common/os/",
        "common/transport/", "host-bridge/policy/snapshot.h", "host-bridge/vmm/"}},
      {"host-bridge/api/",
       {"std", "threads", "posix", "absl", "grpc", "wire", "common/base/", "common/os/",
        "host-bridge/policy/", "host-bridge/observe/blocks.h", "host-bridge/vmm/memory_devices.h",
        "host-bridge/control/", "host-bridge/api/"}},
      {"host-bridge/hotplug/",
       {"std", "absl", "common/base/", "host-bridge/observe/blocks.h", "host-bridge/vmm/memory_devices.h",
        "host-bridge/vmm/plug_reading.h", "host-bridge/hotplug/"}},
      {"host-bridge/config/",
       {"std", "posix", "absl", "program_options", "common/base/", "common/config/", "common/os/",
        "common/transport/", "host-bridge/policy/policy_config.h", "host-bridge/policy/snapshot.h",
        "host-bridge/config/"}},
      {"host-bridge/record/",
       {"std", "threads", "posix", "absl", "wire", "common/base/", "common/os/", "common/journal/",
        "host-bridge/policy/", "host-bridge/record/"}},
      {"host-bridge/lab/model/", {"std", "common/base/", "host-bridge/lab/model/"}},
      {"host-bridge/lab/scenario/",
       {"std", "absl", "common/base/", "common/config/", "host-bridge/policy/", "host-bridge/config/",
        "host-bridge/lab/model/", "host-bridge/lab/scenario/"}},
      {"host-bridge/lab/world/",
       {"std", "common/base/", "host-bridge/policy/", "host-bridge/lab/model/", "host-bridge/lab/scenario/",
        "host-bridge/lab/world/"}},
      {"host-bridge/lab/rivals/",
       {"std", "common/base/", "host-bridge/policy/snapshot.h", "host-bridge/lab/model/",
        "host-bridge/lab/scenario/planned_world.h", "host-bridge/lab/world/controller.h",
        "host-bridge/lab/rivals/"}},
      {"host-bridge/lab/report/",
       {"std", "threads", "absl", "json", "common/base/", "host-bridge/lab/scenario/",
        "host-bridge/lab/world/", "host-bridge/lab/model/", "host-bridge/lab/report/"}},
      {"host-bridge/lab/replay/",
       {"std", "absl", "common/base/", "common/os/", "common/journal/", "host-bridge/policy/",
        "host-bridge/record/", "host-bridge/lab/replay/"}},
      {"host-bridge/lab/",
       {"std", "posix", "absl", "program_options", "common/", "host-bridge/policy/", "host-bridge/config/",
        "host-bridge/record/", "host-bridge/lab/"}},
      {"host-bridge/control/",
       {"std", "threads", "posix", "absl", "asio", "common/", "host-bridge/policy/", "host-bridge/observe/",
        "host-bridge/session/", "host-bridge/vmm/", "host-bridge/hotplug/", "host-bridge/record/",
        "host-bridge/config/", "host-bridge/control/"}},
      {"host-bridge/",
       {"std", "threads", "posix", "absl", "asio", "program_options", "common/", "host-bridge/"}},

      // Tests, fakes and lab programs join any two parts; that nothing includes them follows from the rows
      // above.
      {"tests/", {""}},
  };
  return rules;
}

// What their names promise: no file, clock or socket is reached from these. Headers with such names may also
// be included by them within their own folder.
constexpr std::array<std::string_view, 2> kPureEndings{"_parser", "_plan"};
constexpr std::array<std::string_view, 6> kPure{"std",
                                                "absl",
                                                "common/base/",
                                                "common/kernel/",
                                                "host-bridge/vmm/balloon_statistics.h",
                                                "host-bridge/vmm/memory_devices.h"};
// JSON text in, values out: reading QMP needs a JSON parser, and Boost's is pure.
constexpr std::array<std::string_view, 4> kJsonReaders{"json_parser", "qmp_device_parser", "qmp_parser",
                                                       "qmp_stream"};

// Where none of these is included everything happens on the caller's thread.
constexpr std::array<std::string_view, 10> kThreads{
    "atomic", "barrier",   "condition_variable", "future",     "latch",
    "mutex",  "semaphore", "shared_mutex",       "stop_token", "thread"};

constexpr int kMaxLines = 400;
constexpr int kMaxMainLines = 150;

// The sources of programs that run inside the lab's guests are built by a script, not by CMake.
constexpr std::array<std::string_view, 1> kNotBuiltByCMake{"tests/lab/guest/"};

struct Include {
  int line = 0;
  std::string_view name;
  bool angled = false;
};

std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

void SkipBlanks(std::string_view& text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
}

std::optional<Include> ReadInclude(std::string_view line, int number) {
  SkipBlanks(line);
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  SkipBlanks(line);
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(std::string_view("include").size());
  SkipBlanks(line);
  const bool angled = line.starts_with('<');
  if (!angled && !line.starts_with('"')) return std::nullopt;
  const size_t end = line.find(angled ? '>' : '"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{number, line.substr(1, end - 1), angled};
}

std::vector<Include> IncludesOf(std::string_view text) {
  std::vector<Include> includes;
  for (int number = 1; !text.empty(); ++number) {
    if (const auto include = ReadInclude(TakeLine(text), number)) includes.push_back(*include);
  }
  return includes;
}

// The kind of a foreign header, or the header's own path for one of the project.
std::string_view KindOf(const Include& include) {
  const std::string_view name = include.name;
  if (name.ends_with(".pb.h") || name.starts_with("google/protobuf/")) return "wire";
  if (name.starts_with("absl/")) return "absl";
  if (name.starts_with("grpc/") || name.starts_with("grpcpp/")) return "grpc";
  if (name.starts_with("boost/program_options")) return "program_options";
  if (name.starts_with("boost/json")) return "json";
  if (name.starts_with("boost/asio") || name.starts_with("boost/system/")) return "asio";
  if (name.starts_with("boost/")) return "boost";
  for (const std::string_view library : {"gtest/", "gmock/", "benchmark/"}) {
    if (name.starts_with(library)) return "test";
  }
  if (!include.angled) return name;
  if (std::find(kThreads.begin(), kThreads.end(), name) != kThreads.end()) return "threads";
  return name.find('.') == std::string_view::npos && name.find('/') == std::string_view::npos ? "std"
                                                                                              : "posix";
}

// Kinds match whole, paths by their beginning; "" allows all.
bool Allows(std::string_view allowed, std::string_view kind) {
  const bool is_path = allowed.empty() || allowed.find('/') != std::string_view::npos;
  return is_path ? kind.starts_with(allowed) : kind == allowed;
}

template <typename List>
bool AllowsAny(const List& list, std::string_view kind) {
  return std::any_of(list.begin(), list.end(),
                     [&](std::string_view allowed) { return Allows(allowed, kind); });
}

std::string_view FolderOf(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }

std::string_view StemOf(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.find('.'));
}

bool IsJsonReader(std::string_view path) {
  return std::find(kJsonReaders.begin(), kJsonReaders.end(), StemOf(path)) != kJsonReaders.end();
}

bool IsPure(std::string_view path) {
  const std::string_view stem = StemOf(path);
  return IsJsonReader(path) ||
         std::any_of(kPureEndings.begin(), kPureEndings.end(), [&](auto end) { return stem.ends_with(end); });
}

bool MayPureInclude(std::string_view path, std::string_view kind) {
  if (AllowsAny(kPure, kind)) return true;
  if (kind == "json") return IsJsonReader(path);
  const bool own_header = FolderOf(kind) == FolderOf(path) && StemOf(kind) == StemOf(path);
  return own_header || (FolderOf(kind) == FolderOf(path) && IsPure(kind));
}

bool IsSource(std::string_view path) { return path.ends_with(".cc") || path.ends_with(".h"); }

bool IsTest(std::string_view path) { return path.starts_with("tests/"); }

}  // namespace

std::string TextOf(const Violation& violation) {
  return violation.file + ":" + std::to_string(violation.line) + ": " + violation.rule;
}

std::vector<Violation> CheckIncludes(const SourceFile& file) {
  const Rule* rule = nullptr;
  for (const Rule& candidate : Rules()) {
    if (!file.path.starts_with(candidate.scope)) continue;
    if (rule == nullptr || candidate.scope.size() > rule->scope.size()) rule = &candidate;
  }
  if (rule == nullptr) return {{file.path, 1, "this folder has no row in the table of include rules"}};

  std::vector<Violation> violations;
  for (const Include& include : IncludesOf(file.text)) {
    const std::string_view kind = KindOf(include);
    const auto complain = [&](std::string who) {
      violations.push_back({file.path, include.line, who + " may not include " + std::string(include.name)});
    };
    if (!AllowsAny(rule->allowed, kind)) {
      complain(std::string(rule->scope));
    } else if (!IsTest(file.path) && IsPure(file.path) && !MayPureInclude(file.path, kind)) {
      complain("a pure file (*_parser, *_plan, qmp_stream)");
    }
  }
  return violations;
}

std::vector<Violation> CheckShape(const SourceFile& file) {
  std::vector<Violation> violations;
  bool pragma_once = false;
  int number = 0;
  for (std::string_view text = file.text; !text.empty();) {
    const std::string_view line = TakeLine(text);
    ++number;
    if (line == "#pragma once") pragma_once = true;
    if (line.find('\t') != std::string_view::npos)
      violations.push_back({file.path, number, "a tab; indent by spaces"});
  }
  if (file.path.ends_with(".h") && !pragma_once)
    violations.push_back({file.path, 1, "#pragma once is missing"});
  const bool is_main = file.path.ends_with("/main.cc");
  const int limit = is_main ? kMaxMainLines : kMaxLines;
  if (!IsTest(file.path) && number > limit) {
    violations.push_back({file.path, number, "longer than " + std::to_string(limit) + " lines; split it"});
  }
  return violations;
}

namespace {

// Whether `text` holds `word` with no letter of a file name before or after it.
bool HoldsWord(std::string_view text, std::string_view word) {
  const auto is_part = [](char c) {
    return c == '_' || c == '-' || c == '.' || std::isalnum(static_cast<unsigned char>(c));
  };
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !is_part(text[at - 1])) && (end == text.size() || !is_part(text[end]))) return true;
  }
  return false;
}

bool IsListed(const std::string& path, const std::vector<SourceFile>& files) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  return std::any_of(files.begin(), files.end(), [&](const SourceFile& list) {
    return list.path.ends_with("CMakeLists.txt") && path.starts_with(FolderOf(list.path)) &&
           HoldsWord(list.text, name);
  });
}

}  // namespace

std::vector<Violation> CheckBuildLists(const std::vector<SourceFile>& files) {
  std::vector<Violation> violations;
  for (const SourceFile& file : files) {
    if (!IsSource(file.path)) {
      int number = 0;
      for (std::string_view text = file.text; !text.empty();) {
        ++number;
        if (TakeLine(text).find("file(GLOB") == std::string_view::npos) continue;
        violations.push_back(
            {file.path, number, "file(GLOB) misses new files until the next configure; list them"});
      }
      continue;
    }
    const bool foreign = std::any_of(kNotBuiltByCMake.begin(), kNotBuiltByCMake.end(),
                                     [&](std::string_view folder) { return file.path.starts_with(folder); });
    if (foreign || !file.path.ends_with(".cc") || IsListed(file.path, files)) continue;
    violations.push_back({file.path, 1, "no CMakeLists.txt of its folder or above names it"});
  }
  return violations;
}

}  // namespace ballast::house
