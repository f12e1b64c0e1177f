// Writing a journal: records into frames, frames into blocks, blocks into a file of bounded size.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/journal/zstd_stream.h"
#include "common/os/unique_fd.h"

namespace ballast::journal {

struct JournalFileOptions {
  std::string path;
  // When the file has reached this size, it becomes PATH.1 (the PATH.1 before it goes) and a new one begins.
  int64_t max_bytes = int64_t{64} << 20;
};

// One thread's. After any error the object is of no more use: open another one, which goes on behind what was
// written. Of the block that failed nothing stays in the file where the file system lets it be cut off.
//
// What Flush has written survives the death of the program. What survives the death of the machine is the
// kernel's business (some seconds may be lost): the file is synchronised when it is full and at the end, not
// at each flush, because a log of decisions is not worth a disk's attention every second.
class JournalFile {
 public:
  // Creates the file (mode 0600) or goes on at the end of an earlier journal. One of another format version
  // is moved to PATH.1. Errors: FAILED_PRECONDITION when the path is no regular file, is no journal, or
  // another process writes it (it is left as it is); else the system's.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<JournalFile>> Open(const JournalFileOptions& options);
  ~JournalFile();
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  // What was appended is in the file when this is OK; the next record needs a new frame.
  [[nodiscard]] absl::Status EndFrame();
  // Ends the frame before. What is appended from now on can be read without what came before. Starts the next
  // file when this one is full (`new_file` says so). The first record of a journal needs it too.
  [[nodiscard]] absl::Status BeginFrame(bool& new_file);
  // Errors: INVALID_ARGUMENT when the record is empty or larger than kMaxRecordBytes; then nothing was
  // appended and the object can be used on.
  [[nodiscard]] absl::Status Append(std::string_view record);
  // Everything appended is in the kernel's hands.
  [[nodiscard]] absl::Status Flush();
  // Flushes, ends the frame and has the disk keep all of it.
  [[nodiscard]] absl::Status Close();

  [[nodiscard]] int64_t size_bytes() const { return size_; }
  [[nodiscard]] bool IsFull() const { return size_ >= options_.max_bytes; }

 private:
  explicit JournalFile(JournalFileOptions options) : options_(std::move(options)) {}
  [[nodiscard]] absl::Status OpenFile();
  [[nodiscard]] absl::Status TakeOver(int64_t size);
  [[nodiscard]] absl::Status MoveAway();
  [[nodiscard]] absl::Status Compress(std::string_view data, Compressor::Until until);
  [[nodiscard]] absl::Status WriteBlocks(bool also_small);
  [[nodiscard]] absl::Status Write(std::string_view bytes);
  [[nodiscard]] absl::Status Fault(int error) const;

  const JournalFileOptions options_;
  UniqueFd fd_;
  int64_t size_ = 0;
  Compressor compressor_;
  std::string payload_;        // compressed, not yet written
  bool in_frame_ = false;      // between BeginFrame and its end
  bool frame_starts_ = false;  // the next block is the frame's first
  bool unflushed_ = false;
};

}  // namespace ballast::journal
