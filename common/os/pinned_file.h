// A kernel file opened once and read again and again with pread: no descriptor, no allocation per read.
// procfs, sysfs and cgroupfs give fresh contents for every read at offset 0.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/os/file_reader.h"
#include "common/os/unique_fd.h"

namespace ballast {

class PinnedFile {
 public:
  // `capacity` bytes are reserved once, and 16 KiB of them brought in; a larger file is an error at the read.
  [[nodiscard]] static absl::StatusOr<PinnedFile> Open(const FileReader& files, std::string_view path,
                                                       size_t capacity);

  // The file's present contents, valid until the next Read. Errors name the path.
  [[nodiscard]] absl::StatusOr<std::string_view> Read();

 private:
  PinnedFile(UniqueFd fd, std::string path, size_t capacity);

  UniqueFd fd_;
  std::string path_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_;
};

}  // namespace ballast
