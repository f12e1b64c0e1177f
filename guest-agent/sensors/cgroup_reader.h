// The cgroups (version 2) that use the most memory: found now and then in a walk of bounded length, read
// often.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/fixed_text.h"
#include "common/base/short_list.h"
#include "common/os/file_reader.h"
#include "common/os/pinned_file.h"

namespace ballast::agent {

inline constexpr size_t kMaxCgroups = 8;

// Bytes.
struct CgroupReading {
  FixedText<256> path;  // below the mount: "/system.slice/db.service"
  int64_t current_bytes = 0;
  std::optional<int64_t> limit_bytes;  // absent: none
  std::optional<int64_t> swap_bytes;   // absent: the kernel does not say
  int64_t oom_kills = 0;               // of its subtree, since it was made

  friend bool operator==(const CgroupReading&, const CgroupReading&) = default;
};

using CgroupReadings = ShortList<CgroupReading, kMaxCgroups>;

// A user of memory is a cgroup without children, or one with a limit of its own: what a slice uses is what
// its services use. Used by one thread. Holds at most four descriptors for each of the kMaxCgroups.
class CgroupReader {
 public:
  explicit CgroupReader(FileReader files) : files_(std::move(files)) {}

  // Whether cgroups of version 2 count memory here; why not.
  [[nodiscard]] absl::Status Check() const;

  // Goes on with the walk, by at most kStepDirectories; a walk that has ended begins anew. True when this
  // step ended it: from then on its largest users are read. Allocates.
  bool Step();
  // The users the last walk found, largest first. Allocates nothing.
  void Read(CgroupReadings& readings);

 private:
  struct Candidate {
    std::string path;
    int64_t current_bytes = 0;
  };
  struct User {
    std::string path;
    std::optional<PinnedFile> current;
    std::optional<PinnedFile> limit;
    std::optional<PinnedFile> swap;
    std::optional<PinnedFile> events;
  };
  void Visit(const std::string& path);
  [[nodiscard]] bool NoteChildren(const std::string& path);
  void Consider(Candidate candidate);
  void Adopt();
  [[nodiscard]] std::optional<User> Open(const std::string& path) const;

  FileReader files_;
  std::vector<std::string> to_visit_;  // of the walk under way
  size_t visited_ = 0;
  std::vector<Candidate> largest_;  // largest first, at most kMaxCgroups
  std::vector<User> users_;
};

}  // namespace ballast::agent
