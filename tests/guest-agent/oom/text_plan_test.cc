#include "guest-agent/oom/text_plan.h"

#include <gtest/gtest.h>

#include <string>

namespace ballast::agent {
namespace {

TEST(TextPlan, TheLogsEscapesAreUndone) {
  EXPECT_EQ(CommFromLog("gr\\xc3\\xbcn").View(), "gr\xc3\xbcn");
  EXPECT_EQ(CommFromLog("a\\x5cb").View(), "a\\b");
  EXPECT_EQ(CommFromLog("x\\x0ay").View(), "x?y");
  EXPECT_EQ(CommFromLog("\\xzz").View(), "\\xzz");
  EXPECT_EQ(CommFromLog("\\x4").View(), "\\x4");
  EXPECT_EQ(PathFromLog("/a\\x20b").View(), "/a b");
}

TEST(TextPlan, BytesOfAProcessBecomeText) {
  EXPECT_EQ(CommFromKernel("\xff"
                           "ab\x01")
                .View(),
            "?ab?");
}

TEST(TextPlan, APathThatIsTooLongIsCutBetweenCharacters) {
  CgroupPath path;
  for (int i = 0; i < 30; ++i) AppendToPath("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", path);
  EXPECT_LE(path.View().size(), 256u);
  EXPECT_GT(path.View().size(), 250u);
  EXPECT_TRUE(path.View().starts_with("/\xe2\x82\xac"));
  const CgroupPath again = PathFromLog(path.View());
  EXPECT_EQ(again, path) << "it is valid as it is";
}

}  // namespace
}  // namespace ballast::agent
