#include "common/kernel/zone_parser.h"

#include <gmock/gmock.h>

#include "common/base/text.h"
#include "common/base/units.h"
#include "tests/common/kernel/fixture.h"

namespace ballast::kernel {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kPage = 4 * kKiB;

std::string ZoneText(std::string_view head, int64_t free, int64_t managed) {
  return StrCat(head, "\n  pages free     ", free,
                "\n        boost    0\n        min      1\n        low      2\n",
                "        high     3\n        spanned  100\n        present  100\n        managed  ", managed,
                "\n  pagesets\n    cpu: 0\n              high:     77\n        high 99\n");
}

TEST(ZoneParser, ReadsTheZonesThatHaveMemory) {
  const auto zones = ParseZoneinfo(Fixture("zoneinfo-6.18"), kPage);
  ASSERT_TRUE(zones.ok()) << zones.status();
  ASSERT_EQ(zones->size(), 3u) << "Movable and Device are empty";
  EXPECT_EQ((*zones)[2], (Zone{.kind = ZoneKind::kNormal,
                               .free_bytes = 520670 * kPage,
                               .min_bytes = 7936 * kPage,
                               .low_bytes = 9920 * kPage,
                               .high_bytes = 11904 * kPage,
                               .managed_bytes = 688128 * kPage,
                               .present_bytes = 5505024 * kPage}));
  EXPECT_EQ(NameOf((*zones)[0].kind), "DMA");
  EXPECT_EQ(NameOf((*zones)[1].kind), "DMA32");
}

TEST(ZoneParser, ReadsOlderKernels) {
  for (const auto& [name, free] : {std::pair{"zoneinfo-6.1", 92234}, std::pair{"zoneinfo-6.12", 87814}}) {
    const auto zones = ParseZoneinfo(Fixture(name), kPage);
    ASSERT_TRUE(zones.ok()) << name << ": " << zones.status();
    ASSERT_EQ(zones->size(), 2u) << name;
    EXPECT_EQ((*zones)[1].free_bytes, free * kPage) << name;
    EXPECT_EQ((*zones)[0].high_bytes, 36 * kPage) << name;
  }
}

TEST(ZoneParser, AddsUpTheNodesAndKeepsTheOrder) {
  const auto zones =
      ParseZoneinfo(ZoneText("Node 0, zone      DMA", 5, 50) + ZoneText("Node 0, zone   Normal", 10, 90) +
                        ZoneText("Node 0, zone  Movable", 7, 80) + ZoneText("Node 1, zone   Normal", 20, 90),
                    kPage);
  ASSERT_TRUE(zones.ok()) << zones.status();
  ASSERT_EQ(zones->size(), 3u);
  EXPECT_EQ((*zones)[1].kind, ZoneKind::kNormal);
  EXPECT_EQ((*zones)[1].free_bytes, 30 * kPage);
  EXPECT_EQ((*zones)[1].high_bytes, 6 * kPage);
  EXPECT_EQ((*zones)[1].managed_bytes, 180 * kPage);
  EXPECT_EQ((*zones)[2].kind, ZoneKind::kMovable);
}

TEST(ZoneParser, CountsInTheKernelsPages) {
  const auto zones = ParseZoneinfo(ZoneText("Node 0, zone   Normal", 10, 90), 64 * kKiB);
  ASSERT_TRUE(zones.ok()) << zones.status();
  EXPECT_EQ((*zones)[0].free_bytes, 640 * kKiB);
}

TEST(ZoneParser, CutsAFreeCountThatRanAheadAndPassesOverZonesItDoesNotKnow) {
  const auto zones = ParseZoneinfo(
      ZoneText("Node 0, zone   Normal", 95, 90) + ZoneText("Node 0, zone   Secret", 1, 2), kPage);
  ASSERT_TRUE(zones.ok()) << zones.status();
  ASSERT_EQ(zones->size(), 1u);
  EXPECT_EQ((*zones)[0].free_bytes, 90 * kPage);
}

TEST(ZoneParser, NamesTheZoneAndTheFieldThatIsWrong) {
  struct Case {
    std::string text;
    const char* complaint;
  };
  const std::string head = "Node 0, zone    DMA32\n";
  const Case cases[] = {
      {"", "no line begins a zone"},
      {"garbage\n\n", "no line begins a zone"},
      {head, "zone DMA32: pages free is missing"},
      {head + "  pages free 4\n  min 1\n  low 2\n", "zone DMA32: high is missing"},
      {head + "  pages free x\n", "zone DMA32: pages free is not a number"},
      {head + "  pages free -4\n", "zone DMA32: pages free is not a number"},
      {head + "  pages free 4\n  min 70368744177665\n",
       "zone DMA32: min is not a number of pages up to 2^46"},
      {head + "  pages free 4\n  min 18446744073709551615\n", "zone DMA32: min is not"},
      {head + "  pages free 4\n  min 9\n  low 2\n  high 3\n  present 9\n  managed 9\n", "min is above low"},
      {head + "  pages free 4\n  min 1\n  low 4\n  high 3\n  present 9\n  managed 9\n", "low is above high"},
  };
  for (const Case& c : cases) {
    const auto zones = ParseZoneinfo(c.text, kPage);
    ASSERT_FALSE(zones.ok()) << c.text;
    EXPECT_THAT(MessageOf(zones.status()), HasSubstr(c.complaint)) << c.text;
  }
  const std::string huge = ZoneText("Node 0, zone   Normal", 1, int64_t{1} << 46);
  const auto sum = ParseZoneinfo(huge + huge, 64 * kKiB);
  ASSERT_FALSE(sum.ok());
  EXPECT_THAT(MessageOf(sum.status()), HasSubstr("zone Normal: managed is above 2^62 in sum"));
}

TEST(ZoneParser, SurvivesEveryTruncation) {
  const std::string text = Fixture("zoneinfo-6.12");
  for (size_t size = 0; size <= text.size(); ++size) {
    const auto zones = ParseZoneinfo(std::string_view(text).substr(0, size), kPage);
    if (zones.ok()) {
      EXPECT_LE(zones->size(), 2u);
    }
  }
}

}  // namespace
}  // namespace ballast::kernel
