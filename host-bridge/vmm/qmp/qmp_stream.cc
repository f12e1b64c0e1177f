#include "host-bridge/vmm/qmp/qmp_stream.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string>

#include "common/base/text.h"

namespace ballast::vmm::qmp {
namespace {

namespace json = boost::json;

json::parse_options Options() {
  json::parse_options options;
  options.max_depth = Stream::kMaxDepth;
  return options;
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// What came, with unprintable bytes shown as '?', cut short.
std::string Printable(std::string_view bytes) {
  constexpr size_t kLongest = 32;
  std::string text;
  for (const char c : bytes.substr(0, kLongest)) text.push_back(c >= 0x20 && c < 0x7f ? c : '?');
  return bytes.size() > kLongest ? text + "..." : text;
}

}  // namespace

Stream::Stream() : parser_({}, Options()) {}

absl::Status Stream::Garbage(std::string_view bytes, std::string_view why) const {
  return absl::InvalidArgumentError(
      StrCat("not a QMP message at byte ", offset_, " ('", Printable(bytes), "'): ", why));
}

absl::Status Stream::Feed(std::string_view bytes, std::vector<json::value>& messages) {
  while (fault_.ok() && !bytes.empty()) {
    if (!in_message_ && IsSpace(bytes.front())) {
      bytes.remove_prefix(1);
      ++offset_;
      continue;
    }
    if (!in_message_ && bytes.front() != '{') {
      fault_ = Garbage(bytes, "expected an object, '{'");
      break;
    }
    bytes.remove_prefix(FeedOne(bytes, messages));
  }
  return fault_;
}

size_t Stream::FeedOne(std::string_view bytes, std::vector<json::value>& messages) {
  if (!in_message_) {
    parser_.reset();
    in_message_ = true;
    message_bytes_ = 0;
  }
  const std::string_view piece = bytes.substr(0, kMaxMessageBytes - message_bytes_);
  json::error_code error;
  const size_t taken = parser_.write_some(piece.data(), piece.size(), error);
  offset_ += taken;
  message_bytes_ += taken;
  if (error) {
    fault_ = error == json::error::too_deep
                 ? absl::ResourceExhaustedError(
                       StrCat("QMP message nests deeper than ", kMaxDepth, " levels at byte ", offset_))
                 : Garbage(bytes.substr(taken), ToStd(absl::string_view(error.message())));
  } else if (parser_.done()) {
    messages.push_back(parser_.release());
    in_message_ = false;
  } else if (message_bytes_ >= kMaxMessageBytes) {
    fault_ = absl::ResourceExhaustedError(
        StrCat("QMP message is longer than ", kMaxMessageBytes, " bytes, at byte ", offset_));
  }
  return taken;
}

}  // namespace ballast::vmm::qmp
