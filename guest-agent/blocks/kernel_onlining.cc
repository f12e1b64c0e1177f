#include "guest-agent/blocks/kernel_onlining.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/os/unique_fd.h"

namespace ballast::agent {
namespace {

using kernel::AutoOnline;

constexpr const char* kPolicy = "/sys/devices/system/memory/auto_online_blocks";
// One line: the boot's id, what was found, what was set.
constexpr const char* kKept = "/run/ballast/auto_online_blocks";

std::string BootIdOf(const FileReader& files) {
  const auto text = files.Read("/proc/sys/kernel/random/boot_id", 64);
  return text.ok() ? std::string(absl::StripAsciiWhitespace(*text)) : "";
}

}  // namespace

KernelOnlining::KernelOnlining(const FileReader& files)
    : files_(files), boot_id_(BootIdOf(files)), before_(FoundBefore()) {}

KernelOnlining::~KernelOnlining() { Restore(); }

absl::Status KernelOnlining::Set(AutoOnline wish) {
  if (wish_ == wish) return absl::OkStatus();
  wish_ = wish;
  Keep(wish);
  auto status = Write(wish);
  if (!absl::IsInvalidArgument(status)) return status;
  Keep(AutoOnline::kOffline);
  return Write(AutoOnline::kOffline);
}

bool KernelOnlining::IsOn() const {
  const auto now = Read();
  return now && *now != AutoOnline::kOffline;
}

void KernelOnlining::Restore() {
  if (!wish_ || !before_) return;
  wish_.reset();
  (void)Write(*before_);  // who ends has nobody to tell
  (void)::unlink(files_.PathOf(kKept).c_str());
}

std::optional<AutoOnline> KernelOnlining::FoundBefore() const {
  const auto now = Read();
  const auto text = files_.Read(kKept, 256);
  if (!now || !text.ok() || boot_id_.empty()) return now;
  const std::vector<std::string> words = absl::StrSplit(absl::StripAsciiWhitespace(*text), ' ');
  if (words.size() != 3 || words[0] != boot_id_) return now;
  const auto found = kernel::ParseAutoOnline(words[1]);
  const auto set = kernel::ParseAutoOnline(words[2]);
  return found.ok() && set.ok() && *set == *now ? *found : *now;
}

void KernelOnlining::Keep(AutoOnline set) const {
  if (!before_ || boot_id_.empty()) return;
  const std::filesystem::path path = files_.PathOf(kKept);
  const std::filesystem::path fresh = path.string() + ".new";
  std::error_code error;  // without it a killed agent leaves its own policy behind, no more
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream out(fresh, std::ios::trunc);
  out << boot_id_ << ' ' << kernel::NameOf(*before_) << ' ' << kernel::NameOf(set) << '\n';
  out.close();
  if (out) std::filesystem::rename(fresh, path, error);
}

std::optional<AutoOnline> KernelOnlining::Read() const {
  const auto text = files_.Read(kPolicy, 64);
  if (!text.ok()) return std::nullopt;
  const auto policy = kernel::ParseAutoOnline(*text);
  return policy.ok() ? std::make_optional(*policy) : std::nullopt;
}

absl::Status KernelOnlining::Write(AutoOnline policy) const {
  const std::string path = files_.PathOf(kPolicy);
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  const std::string_view text = kernel::NameOf(policy);
  if (!fd.IsOpen() || ::write(fd.Get(), text.data(), text.size()) < 0) {
    return ErrnoStatus(errno, path.c_str());
  }
  return absl::OkStatus();
}

}  // namespace ballast::agent
