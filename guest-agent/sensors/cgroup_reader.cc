#include "guest-agent/sensors/cgroup_reader.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "common/base/text.h"
#include "common/kernel/amount_parser.h"
#include "common/kernel/cgroup_events_parser.h"
#include "guest-agent/sensors/pinned_reading.h"

namespace ballast::agent {
namespace {

constexpr std::string_view kMount = "/sys/fs/cgroup";
// A walk of this many directories takes some 15 ms in all, and finds everything on a guest with a few hundred
// services or containers; of more it finds those that are met first, level by level.
constexpr size_t kMaxDirectories = 512;
// About 2 ms: samples of a calm guest are tens of milliseconds apart.
constexpr size_t kStepDirectories = 64;
// kubepods.slice / kubepods-burstable.slice / pod / container, or user.slice / user-N / user@N / app.slice /
// app: five.
constexpr ptrdiff_t kMaxDepth = 6;
// Files of a cgroup's directory are some sixty; its children beyond this are not looked at.
constexpr int kMaxCgroupEntries = 1024;
// Longer paths than the kernel's own limit do not exist.
constexpr size_t kMaxPath = 4096;
constexpr size_t kNumberCapacity = 64;
constexpr size_t kEventsCapacity = 1024;

std::string FileOf(std::string_view path, std::string_view file) { return StrCat(kMount, path, "/", file); }

// Whether a list of controllers ("cpu io memory pids\n") has the one for memory.
bool NamesMemory(std::string_view controllers) {
  const std::string words = StrCat(" ", controllers.substr(0, controllers.find('\n')), " ");
  return words.find(" memory ") != std::string::npos;
}

auto ParseCurrent(std::string_view text) { return kernel::ParseAmount("memory.current", text); }
auto ParseMax(std::string_view text) { return kernel::ParseLimit("memory.max", text); }

}  // namespace

absl::Status CgroupReader::Check() const {
  const auto controllers = files_.Read(FileOf("", "cgroup.controllers"), kMaxPath);
  if (!controllers.ok()) return controllers.status();
  if (NamesMemory(*controllers)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      StrCat(files_.PathOf(FileOf("", "cgroup.controllers")), " does not name the memory controller"));
}

bool CgroupReader::Step() {
  if (to_visit_.empty()) {
    to_visit_.emplace_back("");
    visited_ = 0;
    largest_.clear();
  }
  for (size_t i = 0; i < kStepDirectories && visited_ < to_visit_.size(); ++i) {
    const std::string path = to_visit_[visited_++];
    Visit(path);
  }
  if (visited_ < to_visit_.size()) return false;
  to_visit_.clear();
  Adopt();
  return true;
}

// Notes the children whose memory is counted for later, and considers it as a user.
void CgroupReader::Visit(const std::string& path) {
  const auto shared = files_.Read(FileOf(path, "cgroup.subtree_control"), kMaxPath);
  const bool deep = std::count(path.begin(), path.end(), '/') >= kMaxDepth;
  const bool has_children = shared.ok() && NamesMemory(*shared) && !deep && NoteChildren(path);
  if (path.empty()) return;  // the root is the guest, and has no memory.current
  const auto current = files_.Read(FileOf(path, "memory.current"), kNumberCapacity);
  if (!current.ok()) return;
  const auto bytes = ParseCurrent(*current);
  if (!bytes.ok()) return;
  if (has_children) {
    const auto text = files_.Read(FileOf(path, "memory.max"), kNumberCapacity);
    const auto limit = ParseMax(text.ok() ? *text : "");
    if (!limit.ok() || !*limit) return;
  }
  Consider({path, *bytes});
}

// False when there are none.
bool CgroupReader::NoteChildren(const std::string& path) {
  bool any = false;
  std::error_code error;
  std::filesystem::directory_iterator entry(files_.PathOf(StrCat(kMount, path)), error);
  for (int seen = 0; !error && seen < kMaxCgroupEntries && entry != std::filesystem::directory_iterator();
       entry.increment(error), ++seen) {
    std::error_code unknown;
    if (entry->is_symlink(unknown) || !entry->is_directory(unknown)) continue;
    any = true;
    if (to_visit_.size() == kMaxDirectories) break;
    to_visit_.push_back(StrCat(path, "/", entry->path().filename().string()));
  }
  return any;
}

void CgroupReader::Consider(Candidate candidate) {
  const auto place = std::find_if(largest_.begin(), largest_.end(), [&](const Candidate& known) {
    return known.current_bytes < candidate.current_bytes;
  });
  if (place - largest_.begin() >= static_cast<ptrdiff_t>(kMaxCgroups)) return;
  largest_.insert(place, std::move(candidate));
  if (largest_.size() > kMaxCgroups) largest_.pop_back();
}

// Makes what the walk found the users that are read; the files of those that stay remain open.
void CgroupReader::Adopt() {
  std::vector<User> users;
  for (const Candidate& candidate : largest_) {
    const auto known = std::find_if(users_.begin(), users_.end(),
                                    [&](const User& user) { return user.path == candidate.path; });
    // One that was removed and made again has new files; the old ones can no longer be read.
    const bool alive = known != users_.end() && known->current->Read().ok();
    auto user = alive ? std::make_optional(std::move(*known)) : Open(candidate.path);
    if (user) users.push_back(*std::move(user));
  }
  users_ = std::move(users);
}

std::optional<CgroupReader::User> CgroupReader::Open(const std::string& path) const {
  std::string ignored;  // gone since the walk came by
  User user;
  user.path = path;
  user.current = OpenOrSay(files_, FileOf(path, "memory.current"), kNumberCapacity, ignored);
  user.limit = OpenOrSay(files_, FileOf(path, "memory.max"), kNumberCapacity, ignored);
  user.swap = OpenOrSay(files_, FileOf(path, "memory.swap.current"), kNumberCapacity, ignored);
  user.events = OpenOrSay(files_, FileOf(path, "memory.events"), kEventsCapacity, ignored);
  if (!user.current) return std::nullopt;
  return user;
}

void CgroupReader::Read(CgroupReadings& readings) {
  readings.Clear();
  for (User& user : users_) {
    const auto current = ReadWith(user.current, ParseCurrent);
    if (!current) continue;  // removed; the next walk forgets it
    CgroupReading reading;
    reading.path = CleanFixedText<256>(user.path);
    reading.current_bytes = *current;
    reading.limit_bytes = ReadWith(user.limit, ParseMax).value_or(std::nullopt);
    reading.swap_bytes = ReadWith(user.swap, ParseCurrent);
    reading.oom_kills = ReadWith(user.events, kernel::ParseCgroupOomKills).value_or(0);
    readings.Add(reading);
  }
  std::sort(readings.begin(), readings.end(),
            [](const CgroupReading& a, const CgroupReading& b) { return a.current_bytes > b.current_bytes; });
}

}  // namespace ballast::agent
