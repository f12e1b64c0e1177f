// A temporary directory that outlives nobody: removed by its owner, or, when the owner was killed, by the
// next process that creates one.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/os/unique_fd.h"

namespace ballast::lab {

class Workspace {
 public:
  // Below $TMPDIR, or /tmp when that is unset or so long that a socket's name (107 bytes) would not fit.
  [[nodiscard]] static absl::StatusOr<Workspace> Create();

  Workspace(Workspace&&) = default;
  Workspace& operator=(Workspace&&) = delete;
  // Removes the directory, unless the environment has BALLAST_LAB_KEEP (to read its logs afterwards).
  ~Workspace();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string Path(std::string_view name) const;
  // Creates a directory below this one and returns its path.
  [[nodiscard]] absl::StatusOr<std::string> MakeDirectory(std::string_view name) const;

 private:
  Workspace(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;  // an flock on <path>/lock: held for as long as the owner lives, however it dies
};

}  // namespace ballast::lab
