// Bytes of a monitor in, whole JSON messages out. Pure and incremental: QEMU's messages are objects that may
// come in pieces or several at once.
#pragma once

#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace ballast::vmm::qmp {

class Stream {
 public:
  // The longest answers Ballast asks for (query-memory-devices with 256 slots) have about 50 KiB.
  static constexpr size_t kMaxMessageBytes = size_t{1} << 20;
  // QEMU's own answers nest less than 10 levels.
  static constexpr size_t kMaxDepth = 32;

  Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Appends every message that these bytes complete, also those before a fault. INVALID_ARGUMENT for what is
  // not JSON (with its offset since the start and an excerpt), RESOURCE_EXHAUSTED for a message that is too
  // long or nests too deep. After a fault the stream is of no more use: every further call says the same.
  [[nodiscard]] absl::Status Feed(std::string_view bytes, std::vector<boost::json::value>& messages);

 private:
  // Feeds one message at most; returns how many bytes it took, or records the fault.
  size_t FeedOne(std::string_view bytes, std::vector<boost::json::value>& messages);
  absl::Status Garbage(std::string_view bytes, std::string_view why) const;

  boost::json::stream_parser parser_;
  bool in_message_ = false;
  size_t message_bytes_ = 0;
  uint64_t offset_ = 0;  // of the next byte, since the start of the stream
  absl::Status fault_;
};

}  // namespace ballast::vmm::qmp
