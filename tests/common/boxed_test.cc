#include "common/base/boxed.h"

#include <gtest/gtest.h>

namespace ballast {
namespace {

struct Pair {
  int left = 0;
  int right = 0;

  friend bool operator==(const Pair&, const Pair&) = default;
};

TEST(Boxed, IsAPointerWhileItIsAbsent) {
  EXPECT_EQ(sizeof(Boxed<Pair>), sizeof(void*));
  Boxed<Pair> boxed;
  EXPECT_FALSE(boxed);
  EXPECT_EQ(boxed, std::nullopt);
  EXPECT_EQ(boxed.value_or({1, 2}), (Pair{1, 2}));
}

TEST(Boxed, IsCopiedAndComparedAsAValue) {
  Boxed<Pair> a = Pair{1, 2};
  Boxed<Pair> b = a;
  EXPECT_EQ(a, b);
  b->left = 7;
  EXPECT_EQ(a->left, 1) << "a copy of its own";
  EXPECT_NE(a, b);
  b = a;
  EXPECT_EQ(a, b);
  EXPECT_NE(a, Boxed<Pair>());
  b = std::optional<Pair>();
  EXPECT_FALSE(b);
  EXPECT_NE(b, a);
}

TEST(Boxed, KeepsItsMemoryWhenAnotherValueIsLaidOverIt) {
  Boxed<Pair> a = Pair{1, 2};
  const Pair* before = &*a;
  const Boxed<Pair> other = Pair{3, 4};
  a = other;
  EXPECT_EQ(&*a, before);
  EXPECT_EQ(*a, (Pair{3, 4}));
  a = *&a;
  EXPECT_EQ(*a, (Pair{3, 4}));
  a.reset();
  EXPECT_FALSE(a.has_value());
  EXPECT_EQ(a.emplace(), Pair());
}

}  // namespace
}  // namespace ballast
