// A list and a text of bounded length, held in place: what a sample carries, so that taking one allocates
// nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace ballast {

// Up to N values in the order they were added.
template <typename T, size_t N>
class ShortList {
 public:
  // False, and nothing changed, when N are there already.
  bool Add(const T& item) {
    if (size_ == N) return false;
    items_[size_++] = item;
    return true;
  }
  void Clear() { size_ = 0; }

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] const T& operator[](size_t index) const { return items_[index]; }
  [[nodiscard]] T& operator[](size_t index) { return items_[index]; }
  [[nodiscard]] const T* begin() const { return items_.data(); }
  [[nodiscard]] const T* end() const { return items_.data() + size_; }
  [[nodiscard]] T* begin() { return items_.data(); }
  [[nodiscard]] T* end() { return items_.data() + size_; }

  friend bool operator==(const ShortList& a, const ShortList& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<T, N> items_{};
  size_t size_ = 0;
};

// Up to N bytes of text; what is longer is cut. Bytes that are not printable ASCII become '?': names in a
// guest are chosen by its users, and text on the wire has to be UTF-8.
template <size_t N>
class ShortText {
 public:
  ShortText() = default;
  explicit ShortText(std::string_view text) : size_(std::min(text.size(), N)) {
    std::transform(text.begin(), text.begin() + static_cast<ptrdiff_t>(size_), bytes_.begin(),
                   [](char c) { return c < ' ' || c > '~' ? '?' : c; });
  }

  [[nodiscard]] std::string_view View() const { return {bytes_.data(), size_}; }

  friend bool operator==(const ShortText& a, const ShortText& b) { return a.View() == b.View(); }

 private:
  std::array<char, N> bytes_{};
  size_t size_ = 0;
};

}  // namespace ballast
