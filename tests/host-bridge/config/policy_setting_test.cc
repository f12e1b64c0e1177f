#include "host-bridge/config/policy_setting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/units.h"

namespace ballast::config {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

std::string FaultOf(std::string_view setting) {
  policy::PolicyConfig policy;
  return std::string(ApplyPolicySetting(setting, policy).message());
}

TEST(PolicySetting, ChangesTheOneNumberItNames) {
  policy::PolicyConfig policy;
  ASSERT_TRUE(ApplyPolicySetting("pressed-min=128MiB", policy).ok());
  EXPECT_EQ(policy.pressed_min_bytes, 128 * kMiB);
  ASSERT_TRUE(ApplyPolicySetting(" lease = 45s ", policy).ok());
  EXPECT_EQ(policy.lease, Seconds(45));
}

TEST(PolicySetting, SaysWhatIsWrong) {
  EXPECT_THAT(FaultOf("pressed-min"), HasSubstr("has no '='"));
  EXPECT_THAT(FaultOf("presed-min=1MiB"), HasSubstr("did you mean 'pressed-min'?"));
  EXPECT_THAT(FaultOf("zzzzzzzzzzzz=1"), HasSubstr("docs/examples/bridge.conf"));
  EXPECT_THAT(FaultOf("pressed-min=128MB"), HasSubstr("pressed-min=128MB: "));
}

TEST(PolicyFaults, NameKeysAndTheirValues) {
  policy::PolicyConfig policy;
  EXPECT_TRUE(PolicyFaults(policy).empty());
  ASSERT_TRUE(ApplyPolicySetting("critical=50%", policy).ok());
  ASSERT_TRUE(ApplyPolicySetting("stall-time=0s", policy).ok());
  EXPECT_THAT(PolicyFaults(policy), UnorderedElementsAre("critical = 50%: must not be above pressed = 6%",
                                                         StartsWith("stall-time = 0")));
}

}  // namespace
}  // namespace ballast::config
