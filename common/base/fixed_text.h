// A short text of bounded size inside a struct: nothing is allocated, and a copy copies it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/clean_text.h"

namespace ballast {

// What does not fit is cut off at the end.
template <size_t kCapacity>
class FixedText {
 public:
  FixedText() = default;
  FixedText(std::string_view text) { Append(text); }  // NOLINT: as a std::string is made of one

  void Append(std::string_view text) {
    const size_t taken = std::min(text.size(), kCapacity - size_);
    std::copy_n(text.begin(), taken, bytes_.begin() + size_);
    size_ = static_cast<uint16_t>(size_ + taken);
  }
  void Clear() { size_ = 0; }

  [[nodiscard]] std::string_view View() const { return {bytes_.data(), size_}; }
  [[nodiscard]] bool IsEmpty() const { return size_ == 0; }

  friend bool operator==(const FixedText& a, const FixedText& b) { return a.View() == b.View(); }

 private:
  static_assert(kCapacity < 65536);
  std::array<char, kCapacity> bytes_{};
  uint16_t size_ = 0;
};

// What of `text` is fit for messages (clean_text.h), as far as it fits.
template <size_t kCapacity>
[[nodiscard]] FixedText<kCapacity> CleanFixedText(std::string_view text) {
  std::array<char, kCapacity> clean;
  return std::string_view(clean.data(), CleanText(text, clean));
}

}  // namespace ballast
