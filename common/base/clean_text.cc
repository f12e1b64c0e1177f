#include "common/base/clean_text.h"

#include <algorithm>
#include <cstdint>

namespace ballast {
namespace {

constexpr unsigned char kFirstPrintable = 0x20;
constexpr unsigned char kDelete = 0x7f;

// How many bytes the character that `first` begins has; 0: it begins none.
size_t LengthAfter(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

// Overlong forms, surrogates and what lies beyond Unicode show in the second byte.
bool IsAllowedSecond(unsigned char first, unsigned char second) {
  if (first == 0xe0) return second >= 0xa0;
  if (first == 0xed) return second <= 0x9f;
  if (first == 0xf0) return second >= 0x90;
  if (first == 0xf4) return second <= 0x8f;
  return true;
}

// The length of the valid, printable character at the front; 0: there is none.
size_t CharacterAt(std::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t length = LengthAfter(byte(0));
  if (length == 0 || length > text.size()) return 0;
  if (length == 1) return byte(0) >= kFirstPrintable && byte(0) != kDelete ? 1 : 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (byte(0) == 0xc2 && byte(1) < 0xa0) return 0;  // control characters again, in two bytes
  return IsAllowedSecond(byte(0), byte(1)) ? length : 0;
}

}  // namespace

size_t CleanText(std::string_view text, std::span<char> out) {
  size_t filled = 0;
  while (!text.empty()) {
    const size_t length = CharacterAt(text);
    const size_t taken = std::max<size_t>(length, 1);
    if (filled + taken > out.size()) break;
    if (length == 0) {
      out[filled] = '?';
    } else {
      std::copy_n(text.begin(), length, out.begin() + static_cast<std::ptrdiff_t>(filled));
    }
    filled += taken;
    text.remove_prefix(taken);
  }
  return filled;
}

}  // namespace ballast
