#include "common/journal/journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "common/base/text.h"
#include "common/journal/format.h"

namespace ballast::journal {

absl::StatusOr<std::unique_ptr<JournalFile>> JournalFile::Open(const JournalFileOptions& options) {
  std::unique_ptr<JournalFile> file(new JournalFile(options));
  if (absl::Status status = file->OpenFile(); !status.ok()) return status;
  return file;
}

JournalFile::~JournalFile() = default;

absl::Status JournalFile::Fault(int error) const { return ErrnoStatus(error, options_.path.c_str()); }

absl::Status JournalFile::OpenFile() {
  fd_.Reset(
      ::open(options_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!fd_.IsOpen()) return Fault(errno);
  struct stat info {};
  if (::fstat(fd_.Get(), &info) != 0) return Fault(errno);
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(StrCat(options_.path, ": is no regular file; name another path"));
  }
  if (::flock(fd_.Get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(StrCat(options_.path, ": another process writes this journal"));
  }
  in_frame_ = false;
  payload_.clear();
  size_ = 0;
  if (info.st_size == 0) return Write(MakeFileHeader());
  return TakeOver(info.st_size);
}

absl::Status JournalFile::TakeOver(int64_t size) {
  char header[kFileHeaderBytes] = {};
  const ssize_t got = ::pread(fd_.Get(), header, sizeof header, 0);
  if (got < 0) return Fault(errno);
  const std::string_view bytes(header, static_cast<size_t>(got));
  const bool whole = bytes.size() == kFileHeaderBytes;
  // A program that died at once may have left half a header.
  const bool is_journal = bytes.substr(0, kMagic.size()) == kMagic.substr(0, bytes.size());
  if (!is_journal) {
    return absl::FailedPreconditionError(
        StrCat(options_.path, ": is there already and is no journal; move it away or name another path"));
  }
  if (!whole) {
    // Not worth the old file's place.
    if (::ftruncate(fd_.Get(), 0) != 0) return Fault(errno);
    return Write(MakeFileHeader());
  }
  size_ = size;
  const bool current = ReadU32(bytes.substr(kMagic.size())) == kVersion;
  return current && !IsFull() ? absl::OkStatus() : MoveAway();
}

absl::Status JournalFile::MoveAway() {
  if (::fdatasync(fd_.Get()) != 0) return Fault(errno);
  const std::string old = options_.path + ".1";
  if (std::rename(options_.path.c_str(), old.c_str()) != 0) return ErrnoStatus(errno, old.c_str());
  return OpenFile();
}

absl::Status JournalFile::EndFrame() {
  if (!in_frame_) return absl::OkStatus();
  in_frame_ = false;
  unflushed_ = false;
  if (absl::Status status = Compress({}, Compressor::Until::kEnd); !status.ok()) return status;
  return WriteBlocks(/*also_small=*/true);
}

absl::Status JournalFile::BeginFrame(bool& new_file) {
  if (absl::Status status = EndFrame(); !status.ok()) return status;
  new_file = IsFull();
  if (new_file) {
    if (absl::Status status = MoveAway(); !status.ok()) return status;
  }
  compressor_.Begin();
  in_frame_ = true;
  frame_starts_ = true;
  return absl::OkStatus();
}

absl::Status JournalFile::Append(std::string_view record) {
  if (!in_frame_) return absl::FailedPreconditionError("a record before the first frame");
  if (record.empty() || record.size() > kMaxRecordBytes) {
    return absl::InvalidArgumentError(
        StrCat("a record of ", record.size(), " bytes; allowed are 1 to ", kMaxRecordBytes));
  }
  std::string length;
  AppendVarint(record.size(), length);
  if (absl::Status status = Compress(length, Compressor::Until::kMore); !status.ok()) return status;
  if (absl::Status status = Compress(record, Compressor::Until::kMore); !status.ok()) return status;
  unflushed_ = true;
  return WriteBlocks(/*also_small=*/false);
}

absl::Status JournalFile::Flush() {
  if (!unflushed_) return absl::OkStatus();
  unflushed_ = false;
  if (absl::Status status = Compress({}, Compressor::Until::kFlush); !status.ok()) return status;
  return WriteBlocks(/*also_small=*/true);
}

absl::Status JournalFile::Close() {
  if (absl::Status status = EndFrame(); !status.ok()) return status;
  return ::fdatasync(fd_.Get()) == 0 ? absl::OkStatus() : Fault(errno);
}

absl::Status JournalFile::Compress(std::string_view data, Compressor::Until until) {
  return compressor_.Add(data, until, payload_);
}

absl::Status JournalFile::WriteBlocks(bool also_small) {
  std::string_view rest = payload_;
  while (rest.size() >= kMaxPayloadBytes || (also_small && !rest.empty())) {
    const std::string_view part = rest.substr(0, kMaxPayloadBytes);
    const std::string block = MakeBlock(frame_starts_ ? kBeginsFrame : 0, part);
    if (absl::Status status = Write(block); !status.ok()) return status;
    frame_starts_ = false;
    rest.remove_prefix(part.size());
  }
  payload_.erase(0, payload_.size() - rest.size());
  return absl::OkStatus();
}

absl::Status JournalFile::Write(std::string_view bytes) {
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t n = ::write(fd_.Get(), rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      // Ignored when it fails: the half block is then found to be damaged, and reading goes on behind it.
      [[maybe_unused]] const int cut = ::ftruncate(fd_.Get(), size_);
      return Fault(error);
    }
    rest.remove_prefix(static_cast<size_t>(n));
  }
  size_ += static_cast<int64_t>(bytes.size());
  return absl::OkStatus();
}

}  // namespace ballast::journal
