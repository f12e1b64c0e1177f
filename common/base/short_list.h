// A list of bounded length, held in place: what a sample carries, so that taking one allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

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

}  // namespace ballast
