#include "guest-agent/oom/text_plan.h"

#include <array>
#include <charconv>
#include <span>

#include "common/base/clean_text.h"

namespace ballast::agent {
namespace {

constexpr size_t kEscapedByte = 4;  // "\x2c"

// The byte at the front, removed from `text`, whether it is written as itself or as "\xNN".
char TakeByte(std::string_view& text) {
  if (text.starts_with("\\x") && text.size() >= kEscapedByte) {
    unsigned value = 0;
    const char* const end = text.data() + kEscapedByte;
    if (std::from_chars(text.data() + 2, end, value, 16).ptr == end) {
      text.remove_prefix(kEscapedByte);
      return static_cast<char>(value);
    }
  }
  const char byte = text.front();
  text.remove_prefix(1);
  return byte;
}

template <size_t kCapacity>
FixedText<kCapacity> FromLog(std::string_view text) {
  std::array<char, kCapacity> raw;
  size_t size = 0;
  while (!text.empty() && size < raw.size()) raw[size++] = TakeByte(text);
  return CleanFixedText<kCapacity>({raw.data(), size});
}

}  // namespace

Comm CommFromKernel(std::string_view comm) { return CleanFixedText<16>(comm); }

Comm CommFromLog(std::string_view comm) { return FromLog<16>(comm); }

CgroupPath PathFromLog(std::string_view path) { return FromLog<256>(path); }

void AppendToPath(std::string_view name, CgroupPath& path) {
  path.Append("/");
  path.Append(name);
  path = CleanFixedText<256>(path.View());  // it may have been cut within a character
}

}  // namespace ballast::agent
