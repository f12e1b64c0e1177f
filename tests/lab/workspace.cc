#include "tests/lab/workspace.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "common/base/text.h"

namespace ballast::lab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "ballast-lab-";
// Leaves room for "/ballast-lab-XXXXXX/guest-12/bridge.qmp" within 107 bytes.
constexpr size_t kLongestParent = 60;

std::string ParentDirectory() {
  const char* configured = std::getenv("TMPDIR");
  const std::string parent = configured == nullptr ? "" : configured;
  return parent.empty() || parent.size() > kLongestParent ? "/tmp" : parent;
}

// An open, locked <directory>/lock; not open when somebody else holds it or there is none.
UniqueFd TryLock(const std::string& directory, int extra_flags) {
  UniqueFd fd(open(StrCat(directory, "/lock").c_str(), O_RDWR | O_CLOEXEC | extra_flags, 0600));
  if (fd.IsOpen() && flock(fd.Get(), LOCK_EX | LOCK_NB) != 0) fd.Reset();
  return fd;
}

void RemoveStale(const std::string& parent) {
  std::error_code ignored;  // another process may be removing the same ones
  for (const auto& entry : fs::directory_iterator(parent, ignored)) {
    if (!entry.path().filename().string().starts_with(kPrefix)) continue;
    // One without a lock file is being created this moment.
    const UniqueFd lock = TryLock(entry.path().string(), 0);
    if (lock.IsOpen()) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

absl::StatusOr<Workspace> Workspace::Create() {
  const std::string parent = ParentDirectory();
  RemoveStale(parent);
  std::string path = StrCat(parent, "/", kPrefix, "XXXXXX");
  if (mkdtemp(path.data()) == nullptr) return ErrnoStatus(errno, path.c_str());
  UniqueFd lock = TryLock(path, O_CREAT);
  if (!lock.IsOpen()) return ErrnoStatus(errno, StrCat(path, "/lock").c_str());
  return Workspace(std::move(path), std::move(lock));
}

Workspace::~Workspace() {
  if (!lock_.IsOpen() || std::getenv("BALLAST_LAB_KEEP") != nullptr) return;
  std::error_code ignored;  // what cannot be removed now is removed by the next process
  fs::remove_all(path_, ignored);
}

std::string Workspace::Path(std::string_view name) const { return StrCat(path_, "/", name); }

absl::StatusOr<std::string> Workspace::MakeDirectory(std::string_view name) const {
  std::string path = Path(name);
  std::error_code error;
  fs::create_directory(path, error);
  if (error) return ErrnoStatus(error.value(), path.c_str());
  return path;
}

}  // namespace ballast::lab
