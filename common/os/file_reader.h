// Small files below a root, so that tests can put a literal tree in place of /proc and /sys.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ballast {

class FileReader {
 public:
  // `root` is put before every path; "" or "/" is the real system.
  explicit FileReader(std::string root = "") : root_(std::move(root)) {}

  // The whole file, at most `limit` bytes (more: OUT_OF_RANGE). Errors name the path.
  [[nodiscard]] absl::StatusOr<std::string> Read(std::string_view path, size_t limit = 1 << 20) const;
  [[nodiscard]] std::string PathOf(std::string_view path) const;
  // Also of what cannot be read, as a file that is only written.
  [[nodiscard]] bool Exists(std::string_view path) const;

 private:
  std::string root_;
};

}  // namespace ballast
