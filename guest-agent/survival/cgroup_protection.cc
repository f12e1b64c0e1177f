#include "guest-agent/survival/cgroup_protection.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <limits>

#include "common/base/size_text.h"
#include "common/base/text.h"
#include "common/os/unique_fd.h"

namespace ballast::agent {
namespace {

constexpr std::string_view kMount = "/sys/fs/cgroup";
constexpr std::string_view kOwnGroup = "/ballast-agent";

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return text;
}

absl::Status Write(const FileReader& files, std::string_view path, std::string_view text) {
  const std::string place = files.PathOf(path);
  const UniqueFd fd(::open(place.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.IsOpen() || ::write(fd.Get(), text.data(), text.size()) < 0)
    return ErrnoStatus(errno, place.c_str());
  return absl::OkStatus();
}

// The process's place in the hierarchy of version 2, "/" for its root.
absl::StatusOr<std::string> GroupOf(const FileReader& files, pid_t pid) {
  const auto text = files.Read(StrCat("/proc/", pid, "/cgroup"));
  if (!text.ok()) return text.status();
  constexpr std::string_view kVersion2 = "0::";
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    if (line.starts_with(kVersion2)) return std::string(line.substr(kVersion2.size()));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return absl::UnavailableError("no cgroup of version 2 in use");
}

absl::StatusOr<int64_t> MinOf(const FileReader& files, std::string_view group) {
  const std::string path = StrCat(kMount, group, "/memory.min");
  const auto text = files.Read(path);
  if (!text.ok()) return text.status();
  const std::string_view number = Trimmed(*text);
  if (number == "max") return std::numeric_limits<int64_t>::max();
  int64_t value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size() || value < 0) {
    return absl::InvalidArgumentError(StrCat(path, " = '", number, "': not a number of bytes"));
  }
  return value;
}

absl::Status EnterOwnGroup(const FileReader& files, pid_t pid) {
  // Refused where the controller is in use by version 1; then memory.min is missing below, which says more.
  (void)Write(files, StrCat(kMount, "/cgroup.subtree_control"), "+memory");
  const std::string place = files.PathOf(StrCat(kMount, kOwnGroup));
  if (::mkdir(place.c_str(), 0755) != 0 && errno != EEXIST) return ErrnoStatus(errno, place.c_str());
  return Write(files, StrCat(kMount, kOwnGroup, "/cgroup.procs"), StrCat(pid));
}

absl::Status CheckAncestors(const FileReader& files, std::string_view group, int64_t bytes) {
  for (size_t slash = group.rfind('/'); slash != 0 && slash != std::string_view::npos;
       slash = group.rfind('/')) {
    group = group.substr(0, slash);
    const auto least = MinOf(files, group);
    if (!least.ok()) return least.status();
    if (*least < bytes) {
      return absl::FailedPreconditionError(
          StrCat(group, "/memory.min is ", *least, ": below ", bytes,
                 " it protects nothing under it; set MemoryMin= there, too"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ProtectByCgroup(const FileReader& files, pid_t pid, int64_t bytes) {
  auto group = GroupOf(files, pid);
  if (!group.ok()) return group.status();
  if (*group == "/") {
    if (auto status = EnterOwnGroup(files, pid); !status.ok()) return status;
    *group = kOwnGroup;
  }
  const auto present = MinOf(files, *group);
  if (!present.ok()) return present.status();
  if (*present < bytes) {
    if (auto status = Write(files, StrCat(kMount, *group, "/memory.min"), StrCat(bytes)); !status.ok())
      return status;
  }
  if (auto status = CheckAncestors(files, *group, bytes); !status.ok()) return status;
  return StrCat(FormatSize(std::max(*present, bytes)), " for ", *group);
}

}  // namespace ballast::agent
