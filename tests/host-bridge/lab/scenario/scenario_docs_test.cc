// docs/scenarios.md names every key, default, event and measure there is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "common/base/text.h"
#include "host-bridge/lab/scenario/measure_list.h"
#include "host-bridge/lab/scenario/scenario_keys.h"
#include "host-bridge/lab/scenario/workload_kind.h"

namespace ballast::sim {
namespace {

using ::testing::HasSubstr;

std::string Page() {
  std::ostringstream text;
  text << std::ifstream(BALLAST_SOURCE_DIR "/docs/scenarios.md").rdbuf();
  return text.str();
}

template <typename T>
void ExpectNamed(const std::string& page, const std::vector<config::Key<T>>& keys) {
  for (const auto& key : keys) EXPECT_THAT(page, HasSubstr(StrCat("`", key.name, "`")));
}

TEST(ScenarioDocsTest, EveryKeyIsNamed) {
  const std::string page = Page();
  ExpectNamed(page, HeadKeys());
  ExpectNamed(page, HostKeys());
  ExpectNamed(page, GroupKeys());
  ExpectNamed(page, EventKeys());
  for (const auto& word : GuestEventWords()) EXPECT_THAT(page, HasSubstr(StrCat("`", word.word, "`")));
  for (const auto& word : HostEventWords()) EXPECT_THAT(page, HasSubstr(StrCat("`", word.word, "`")));
  for (const auto& measure : kMeasures) EXPECT_THAT(page, HasSubstr(StrCat("`", measure, "`")));
}

TEST(ScenarioDocsTest, EveryParameterStandsBelowItsWorkloadWithItsDefault) {
  const std::string page = Page();
  for (const WorkloadKind& kind : WorkloadKinds()) {
    const size_t begin = page.find(StrCat("\n### ", kind.name, "\n"));
    ASSERT_NE(begin, std::string::npos) << kind.name;
    const std::string part = page.substr(begin, page.find("\n### ", begin + 1) - begin);
    for (const auto& [name, text] : kind.parameters) {
      EXPECT_THAT(part, HasSubstr(StrCat("| `", name, "` | `", text, "` |"))) << kind.name;
    }
  }
}

TEST(ScenarioDocsTest, NoParameterHasTheNameOfAGuestsKey) {
  for (const WorkloadKind& kind : WorkloadKinds()) {
    for (const auto& parameter : kind.parameters) {
      for (const auto& key : GroupKeys()) EXPECT_NE(parameter.first, key.name) << kind.name;
    }
  }
}

}  // namespace
}  // namespace ballast::sim
