#include "common/journal/journal_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/base/text.h"

namespace ballast::journal {
namespace {

// How many times a place may look like the beginning of a block and not be one, before a file counts as
// destroyed. In compressed data that happens about once in 2^46 bytes.
constexpr int kMaxCandidates = 1000;

}  // namespace

JournalReader::JournalReader(std::string path, UniqueFd fd, int64_t size)
    : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

absl::StatusOr<std::unique_ptr<JournalReader>> JournalReader::Open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.IsOpen()) return ErrnoStatus(errno, path.c_str());
  struct stat info {};
  if (::fstat(fd.Get(), &info) != 0) return ErrnoStatus(errno, path.c_str());
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        StrCat(path, ": is no regular file; name a journal that a bridge wrote"));
  }
  std::unique_ptr<JournalReader> reader(new JournalReader(path, std::move(fd), info.st_size));
  if (absl::Status status = reader->CheckFileHeader(); !status.ok()) return status;
  return reader;
}

absl::Status JournalReader::CheckFileHeader() {
  std::string bytes;
  if (absl::Status status = ReadAt(0, kFileHeaderBytes, bytes); !status.ok()) return status;
  if (bytes.empty())
    return absl::InvalidArgumentError(StrCat(path_, ": is empty; a journal begins with ", kMagic));
  const std::string_view start = std::string_view(bytes).substr(0, kMagic.size());
  if (start != kMagic.substr(0, start.size())) {
    return absl::InvalidArgumentError(
        StrCat(path_, ": byte 0: is no journal of ballast-bridge; one begins with ", kMagic));
  }
  if (bytes.size() < kFileHeaderBytes) {
    return absl::DataLossError(StrCat(path_, ": byte ", bytes.size(), ": cut within the file's header of ",
                                      kFileHeaderBytes, " bytes; nothing was recorded in it"));
  }
  const uint32_t version = ReadU32(std::string_view(bytes).substr(kMagic.size()));
  if (version != kVersion) {
    return absl::UnimplementedError(
        StrCat(path_, ": byte ", kMagic.size(), ": format version ", version, "; this program reads version ",
               kVersion,
               version > kVersion ? ": use a newer one, or the file is damaged" : ": the file is damaged"));
  }
  next_ = kFileHeaderBytes;
  return absl::OkStatus();
}

absl::Status JournalReader::ReadAt(int64_t offset, size_t length, std::string& out) {
  const int64_t there = std::clamp<int64_t>(size_ - offset, 0, static_cast<int64_t>(length));
  out.resize(static_cast<size_t>(there));
  for (size_t done = 0; done < out.size();) {
    const ssize_t n =
        ::pread(fd_.Get(), out.data() + done, out.size() - done, offset + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(errno, path_.c_str());
    if (n == 0) {  // it was cut while it was read
      out.resize(done);
      break;
    }
    done += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

JournalReader::Block JournalReader::ReadBlock(int64_t offset) {
  if (offset >= size_) return Block::kNone;
  if (!ReadAt(offset, kBlockHeaderBytes, header_bytes_).ok()) return Block::kBad;
  if (header_bytes_.size() < kBlockHeaderBytes) return Block::kCut;
  const std::optional<BlockHeader> header = ParseBlockHeader(header_bytes_);
  if (!header) return Block::kBad;
  if (!ReadAt(offset + static_cast<int64_t>(kBlockHeaderBytes), header->length, payload_).ok())
    return Block::kBad;
  header_ = *header;
  if (payload_.size() < header->length) return Block::kCut;
  return ChecksumHolds(header_bytes_, payload_) ? Block::kGood : Block::kBad;
}

JournalReader::Step JournalReader::Damaged(const std::string& what) {
  damage_ = StrCat(path_, ": byte ", block_offset_, ": ", what);
  decoded_.clear();
  taken_ = 0;
  undecoded_ = {};
  more_decoded_ = false;
  skipping_ = true;
  return Step::kDamage;
}

// Looks for the next block that begins a frame and holds together, at every byte behind a block that does
// not.
JournalReader::Step JournalReader::FindFrame(int64_t from, std::string what) {
  constexpr size_t kWindow = size_t{64} << 10;
  std::string window;
  for (int64_t at = from; at < size_ && candidates_ < kMaxCandidates;) {
    if (!ReadAt(at, kWindow, window).ok() || window.size() < kBlockHeaderBytes) break;
    const size_t last = window.size() - kBlockHeaderBytes;
    for (size_t i = 0; i <= last; ++i) {
      const auto header = ParseBlockHeader(std::string_view(window).substr(i, kBlockHeaderBytes));
      if (!header || (header->flags & kBeginsFrame) == 0) continue;
      const int64_t place = at + static_cast<int64_t>(i);
      if (ReadBlock(place) == Block::kGood) {
        next_ = place;
        return Damaged(StrCat(what, "; reading goes on at byte ", place));
      }
      if (++candidates_ >= kMaxCandidates) break;
    }
    at += static_cast<int64_t>(last) + 1;
  }
  next_ = size_;
  return Damaged(StrCat(what, "; no later part can be read"));
}

JournalReader::Step JournalReader::LoadBlock() {
  while (true) {
    block_offset_ = next_;
    switch (ReadBlock(next_)) {
      case Block::kNone:
        // The writer died between two blocks of one long record.
        if (taken_ < decoded_.size()) cut_at_ = size_;
        return Step::kEnd;
      case Block::kCut: {
        // The end of the file, unless a later run has appended to what an earlier one left half written.
        const Step step = FindFrame(next_ + 1, "a block that was never finished; its writer died there");
        if (next_ < size_) return step;
        cut_at_ = block_offset_;
        return Step::kEnd;
      }
      case Block::kBad:
        return FindFrame(next_ + 1, "a damaged block (the checksum or the block's header is wrong)");
      case Block::kGood:
        break;
    }
    next_ += static_cast<int64_t>(kBlockHeaderBytes + header_.length);
    const bool begins = (header_.flags & kBeginsFrame) != 0;
    if (!begins && skipping_) continue;  // the rest of a frame that was damaged or left out
    if (begins) {
      if (taken_ < decoded_.size()) {
        next_ = block_offset_;
        return Damaged("the frame before it ends within a record");
      }
      decompressor_.Begin();
      frame_fresh_ = true;
      skipping_ = false;
    }
    undecoded_ = payload_;
    more_decoded_ = true;
    return Step::kRecord;
  }
}

absl::StatusOr<bool> JournalReader::SplitRecord() {
  const std::string_view rest = std::string_view(decoded_).substr(taken_);
  uint64_t length = 0;
  size_t used = 0;
  while (true) {
    if (used == rest.size()) return false;
    const uint8_t byte = static_cast<uint8_t>(rest[used]);
    length |= uint64_t{byte & 0x7Fu} << (7 * used);
    ++used;
    if (byte < 0x80) break;
    if (used == 5) return absl::DataLossError("a record's length has more than five bytes");
  }
  if (length == 0 || length > kMaxRecordBytes) {
    return absl::DataLossError(StrCat("a record of ", length, " bytes; allowed are 1 to ", kMaxRecordBytes));
  }
  if (rest.size() - used < length) return false;
  record_.assign(rest.substr(used, length));
  taken_ += used + length;
  return true;
}

JournalReader::Step JournalReader::Next() {
  while (true) {
    const absl::StatusOr<bool> split = SplitRecord();
    if (!split.ok()) return Damaged(MessageOf(split.status()));
    if (*split) {
      begins_frame_ = std::exchange(frame_fresh_, false);
      return Step::kRecord;
    }
    if (undecoded_.empty() && !more_decoded_) {
      const Step step = LoadBlock();
      if (step != Step::kRecord) return step;
      continue;
    }
    decoded_.erase(0, std::exchange(taken_, 0));
    const size_t before = decoded_.size();
    const absl::Status status = decompressor_.Take(undecoded_, decoded_);
    if (!status.ok()) return Damaged(MessageOf(status));
    more_decoded_ = decoded_.size() > before;
  }
}

void JournalReader::SkipFrame() { static_cast<void>(Damaged("left out")); }

}  // namespace ballast::journal
