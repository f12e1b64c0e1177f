// A literal tree of files in a temporary directory, in place of /proc and /sys.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "common/base/text.h"
#include "common/os/file_reader.h"

namespace ballast::agent {

class FileTree {
 public:
  FileTree()
      : root_(StrCat(::testing::TempDir(), "ballast_tree_",
                     ::testing::UnitTest::GetInstance()->current_test_info()->test_suite_name(), "_",
                     ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(root_);
  }
  ~FileTree() { std::filesystem::remove_all(root_); }
  FileTree(const FileTree&) = delete;
  FileTree& operator=(const FileTree&) = delete;

  // Rewrites the same file where there is one: readers keep theirs open.
  void Put(std::string_view path, std::string_view text) const {
    const std::filesystem::path full = StrCat(root_, path);
    std::filesystem::create_directories(full.parent_path());
    std::ofstream file(full, std::ios::binary);
    file << text;
    EXPECT_TRUE(file.good()) << full;
  }
  void Remove(std::string_view path) const { std::filesystem::remove_all(StrCat(root_, path)); }

  [[nodiscard]] const std::string& Root() const { return root_; }
  [[nodiscard]] FileReader Files() const { return FileReader(root_); }

 private:
  std::string root_;
};

// How many descriptors this process has open.
[[nodiscard]] inline ptrdiff_t OpenDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

}  // namespace ballast::agent
