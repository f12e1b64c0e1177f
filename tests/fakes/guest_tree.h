// A guest's /proc in a temporary directory, with figures a test can turn: what the agent reads with --root.
#pragma once

#include <cstdint>
#include <string>

namespace ballast::fakes {

class GuestTree {
 public:
  // Creates `root`/proc/... with a guest of `total_bytes` that has `available_bytes` and no stall.
  GuestTree(std::string root, int64_t total_bytes, int64_t available_bytes);
  ~GuestTree();
  GuestTree(const GuestTree&) = delete;
  GuestTree& operator=(const GuestTree&) = delete;

  // Files are rewritten in place and in one write: the agent keeps them open.
  void SetAvailable(int64_t bytes);
  void SetTotal(int64_t bytes);
  void SetStall(int64_t some_total_us, int64_t full_total_us);
  void SetOomKills(int64_t count);
  [[nodiscard]] const std::string& Root() const { return root_; }

 private:
  void WriteMeminfo() const;
  void WriteVmstat() const;
  void Write(const std::string& path, const std::string& text) const;

  std::string root_;
  int64_t total_bytes_;
  int64_t available_bytes_;
  int64_t oom_kills_ = 0;
};

}  // namespace ballast::fakes
