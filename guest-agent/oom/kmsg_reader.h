// The kernel's log as it grows, record by record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/os/file_reader.h"
#include "common/os/unique_fd.h"

namespace ballast::agent {

class KmsgReader {
 public:
  // From the end of /dev/kmsg on: to be opened first of all, then nothing that happens while the agent starts
  // is missed, however much later it is read. Errors: the kernel's, or that it is no device.
  [[nodiscard]] static absl::StatusOr<KmsgReader> Open(const FileReader& files);
  // Of a descriptor that gives one record a read and never blocks.
  explicit KmsgReader(UniqueFd fd);

  // Readable when there is a record.
  [[nodiscard]] int Fd() const { return fd_.Get(); }
  // The next record, valid until the next call; nothing: none waits. Records that were overwritten before
  // they were read are passed over. Allocates nothing.
  [[nodiscard]] std::optional<std::string_view> Next();
  // False once the log could not be read any more; Next will give nothing ever.
  [[nodiscard]] bool IsAlive() const { return fd_.IsOpen(); }

 private:
  static constexpr size_t kRecordBytes = 8192;  // the kernel's own limit

  UniqueFd fd_;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace ballast::agent
