#include "host-bridge/lab/replay/difference.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/policy/world.h"

namespace ballast::replay {
namespace {

class DifferenceTest : public ::testing::Test {
 protected:
  DifferenceTest() {
    world_.With(policy::Guest("web").Balloon(768 * kMiB).Available(8 * kMiB)).With(policy::Guest("db"));
    outcome_ = policy::Decide(world_.snapshot, world_.config, world_.now);
    other_ = outcome_;
  }
  std::optional<Difference> Find() { return FirstDifference(world_.snapshot, world_.now, outcome_, other_); }

  policy::World world_;
  policy::Outcome outcome_;
  policy::Outcome other_;
};

TEST_F(DifferenceTest, EqualOutcomesHaveNone) { EXPECT_FALSE(Find().has_value()); }

TEST_F(DifferenceTest, NamesAFieldWithinADecisionsReason) {
  ASSERT_EQ(outcome_.decisions.size(), 1u);
  outcome_.decisions[0].reason.wanted_bytes = 5;
  other_.decisions[0].reason.wanted_bytes = 6;
  const auto found = Find();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->guest, "web");
  EXPECT_EQ(found->field, "decision.reason.wanted_bytes");
  EXPECT_EQ(found->recorded, "5");
  EXPECT_EQ(found->replayed, "6");
}

TEST_F(DifferenceTest, NamesADecisionThatIsMissing) {
  other_.decisions.clear();
  EXPECT_EQ(Find()->field, "decision");
  EXPECT_EQ(Find()->recorded, "one");
  EXPECT_EQ(Find()->replayed, "none");
}

TEST_F(DifferenceTest, NamesAHistoryThatDiffers) {
  other_.histories[1].critical_seen = world_.now - Milliseconds(3);
  EXPECT_EQ(Find()->guest, "db");
  EXPECT_EQ(Find()->field, "history.critical_seen_age_ns");
  EXPECT_EQ(Find()->recorded, "absent");
  EXPECT_EQ(Find()->replayed, "3000000");
}

TEST_F(DifferenceTest, NamesTheHostAndAMereOrder) {
  other_.host_history.state = policy::HostState::kCritical;
  EXPECT_EQ(Find()->guest, "");
  EXPECT_EQ(Find()->field, "host_history.state");
  other_ = outcome_;
  other_.decisions.push_back(other_.decisions[0]);
  EXPECT_EQ(Find()->field, "decisions (number or order)");
}

}  // namespace
}  // namespace ballast::replay
