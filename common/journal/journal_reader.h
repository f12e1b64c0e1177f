// Reading a journal, record by record, with bounded memory whatever the file holds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/journal/format.h"
#include "common/journal/zstd_stream.h"
#include "common/os/unique_fd.h"

namespace ballast::journal {

class JournalReader {
 public:
  enum class Step {
    kRecord,  // record() is the next one
    kDamage,  // damage() says what could not be read; the next record, if there is one, begins a frame
    kEnd,     // nothing more; cut_at() says whether the file ends in the middle of a block
  };

  // Errors say what was found and what would be right: the file is empty, is no journal (a text, say), or was
  // written by a newer version.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<JournalReader>> Open(const std::string& path);

  Step Next();
  // Leaves the rest of this frame out, for a caller that found its records wrong.
  void SkipFrame();

  // Valid until the next call of Next.
  [[nodiscard]] std::string_view record() const { return record_; }
  // Whether record() is the first of its frame.
  [[nodiscard]] bool begins_frame() const { return begins_frame_; }
  // Where the block is that the present record ends in.
  [[nodiscard]] int64_t block_offset() const { return block_offset_; }
  // "FILE: byte N: what was found; what would be right".
  [[nodiscard]] const std::string& damage() const { return damage_; }
  [[nodiscard]] std::optional<int64_t> cut_at() const { return cut_at_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  JournalReader(std::string path, UniqueFd fd, int64_t size);
  [[nodiscard]] absl::Status CheckFileHeader();
  // Up to `length` bytes at `offset`; fewer at the end of the file.
  [[nodiscard]] absl::Status ReadAt(int64_t offset, size_t length, std::string& out);
  enum class Block { kGood, kBad, kCut, kNone };
  Block ReadBlock(int64_t offset);
  Step LoadBlock();
  Step FindFrame(int64_t from, std::string what);
  Step Damaged(const std::string& what);
  // The first record of `decoded_`; unset when more bytes are needed.
  [[nodiscard]] absl::StatusOr<bool> SplitRecord();

  std::string path_;
  UniqueFd fd_;
  int64_t size_;          // when it was opened: a journal that is being written is read up to there
  int64_t next_ = 0;      // where the next block is
  bool skipping_ = true;  // until a block that begins a frame
  int candidates_ = 0;    // places that looked like a block and were none

  BlockHeader header_;
  std::string header_bytes_;
  std::string payload_;
  std::string_view undecoded_;  // of payload_
  Decompressor decompressor_;
  std::string decoded_;
  size_t taken_ = 0;           // of decoded_, by records already handed out
  bool more_decoded_ = false;  // the decompressor may hold output back
  bool frame_fresh_ = false;

  std::string record_;
  bool begins_frame_ = false;
  int64_t block_offset_ = 0;
  std::string damage_;
  std::optional<int64_t> cut_at_;
};

}  // namespace ballast::journal
