#include "common/kernel/virtio_features_parser.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

TEST(VirtioFeaturesParser, FindsEachBitByItsIndex) {
  struct Case {
    const char* fixture;
    BalloonFeatures features;
  };
  const Case cases[] = {
      {"balloon-features-plain", {.stats = true, .deflate_on_oom = false}},
      {"balloon-features-deflate-on-oom",
       {.stats = true, .deflate_on_oom = true, .free_page_reporting = true}},
      {"balloon-features-128bit", {.stats = true, .deflate_on_oom = true, .free_page_reporting = true}},
  };
  for (const Case& c : cases) {
    const auto features = ParseBalloonFeatures(Fixture(c.fixture));
    ASSERT_TRUE(features.ok()) << c.fixture << ": " << features.status();
    EXPECT_EQ(*features, c.features) << c.fixture;
  }
}

TEST(VirtioFeaturesParser, RefusesWhatIsNotABitString) {
  EXPECT_FALSE(ParseBalloonFeatures("").ok());
  EXPECT_FALSE(ParseBalloonFeatures("01100").ok());
  EXPECT_FALSE(ParseBalloonFeatures("0x6000000000000000\n").ok());
  EXPECT_FALSE(ParseBalloonFeatures("011001\n\n").ok());
  EXPECT_FALSE(ParseBalloonFeatures(std::string(1025, '0')).ok());
}

}  // namespace
}  // namespace ballast::kernel
