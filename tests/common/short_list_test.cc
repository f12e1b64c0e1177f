#include "common/base/short_list.h"

#include <gtest/gtest.h>

#include <string>

namespace ballast {
namespace {

TEST(ShortList, TakesWhatItHasRoomFor) {
  ShortList<int, 2> list;
  EXPECT_TRUE(list.empty());
  EXPECT_TRUE(list.Add(5));
  EXPECT_TRUE(list.Add(6));
  EXPECT_FALSE(list.Add(7));
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0] + list[1], 11);
}

TEST(ShortList, ComparesWhatIsInItAlone) {
  ShortList<int, 3> list;
  ShortList<int, 3> other;
  list.Add(5);
  list.Clear();
  EXPECT_EQ(list, other) << "what was removed does not count";
  other.Add(0);
  EXPECT_NE(list, other);
}

}  // namespace
}  // namespace ballast
