// I1 to I9 over random stories, one case each so that they run side by side, and the stories in which they
// were once broken.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/host-bridge/policy/property_runner.h"
#include "tests/host-bridge/policy/property_text.h"

namespace ballast::policy {
namespace {

class Invariant : public ::testing::TestWithParam<std::string> {};

TEST_P(Invariant, HoldsInRandomWorlds) {
  const Property* property = FindProperty(GetParam());
  ASSERT_NE(property, nullptr);
  const auto failure = RunProperty(*property, BudgetFor(*property));
  if (failure) FAIL() << Report(*property, *failure, BALLAST_FAILING_WORLDS);
}

INSTANTIATE_TEST_SUITE_P(Property, Invariant,
                         ::testing::Values("I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9"),
                         [](const auto& param) { return param.param; });

TEST(FailingWorlds, AreNoLongerFailing) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(BALLAST_SOURCE_DIR "/tests/fixtures/worlds")) {
    if (entry.path().extension() != ".txt") continue;
    ++files;
    SCOPED_TRACE(entry.path().filename());
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    PropertyFile file;
    ASSERT_EQ(ParsePropertyFile(text.str(), file), std::nullopt);
    const Property* property = FindProperty(file.invariant);
    ASSERT_NE(property, nullptr) << file.invariant;
    EXPECT_EQ(property->check(file.story), std::nullopt);
  }
  EXPECT_GT(files, 0);
}

// Nothing moves at all, whatever is asked: the number of commands dies down with the growing block.
TEST(DeafBalloon, IsNotAskedForEver) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    RandomWorld random(seed);
    World world;
    world.Host(20 * kGiB, random.Between(0, 2 * kGiB));
    world.With(Guest("deaf").Boot(8 * kGiB).Available(random.Between(4, 7) * kGiB));
    size_t commands = 0;
    for (int second = 0; second < 600; ++second) {
      commands += world.Tick().decisions.size();
      world.Later(Seconds(1));
    }
    EXPECT_LE(commands, 20U) << seed;
  }
}

}  // namespace
}  // namespace ballast::policy
