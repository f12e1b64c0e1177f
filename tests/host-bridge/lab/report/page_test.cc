#include "host-bridge/lab/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <regex>

#include "common/base/text.h"
#include "host-bridge/lab/report/markup.h"
#include "host-bridge/lab/report/text_report.h"
#include "tests/host-bridge/lab/report/fake_worlds.h"
#include "tests/host-bridge/lab/report/markup_checker.h"

namespace ballast::sim {
namespace {

using testing::HasSubstr;
using testing::Not;

// Rivals kill, Ballast does not; both give commands now and then.
RunResult Eventful(const WorldPlan& plan, const ControllerKind& kind, const RunOptions& options) {
  RunResult result = CalmRun(plan, options);
  const bool ours = kind.name.starts_with("ballast");
  result.measures.guest_oom_kills = ours ? 0 : 1234 + static_cast<int64_t>(plan.seed);
  result.measures.stalled = Milliseconds(ours ? 1500 : 98765);
  for (size_t i = 0; i < result.samples.size(); ++i) {
    result.samples[i].commands = i % 50 == 0 ? 3 : 0;
    result.samples[i].oom_kills = !ours && i % 200 == 100 ? 2 : 0;
    result.samples[i].stall_permyriad = static_cast<int32_t>(i % 90);
  }
  return result;
}

Report MakeReport(const std::vector<Subject>& subjects, const std::vector<Contender>& contenders) {
  Effort effort;
  effort.seeds = 3;
  Report report;
  report.command_line = "ballast-lab compare --seeds 3";
  report.comparison = Compare(subjects, contenders, effort, Eventful);
  report.densities = MeasureDensity(subjects, contenders, effort, Eventful);
  report.density_seeds = 3;
  report.drawings = Draw(subjects, contenders, effort, Eventful, {});
  return report;
}

Report UsualReport() {
  return MakeReport({MakeSubject("burst"), MakeSubject("idle")},
                    {MakeContender("ballast", true), MakeContender("ballast-bare", true),
                     MakeContender("static"), MakeContender("hypeman")});
}

std::string WithoutScriptAndStyle(std::string page) {
  for (const char* name : {"style", "script"}) {
    const size_t begin = page.find(StrCat("<", name, ">"));
    page.erase(begin, page.find(StrCat("</", name, ">")) - begin);
  }
  return page;
}

TEST(MarkupChecker, FindsWhatIsWrong) {
  EXPECT_EQ(FaultIn("<!DOCTYPE html>\n<p class=\"a\" id=\"b\">x &amp; y<br/></p>"), "");
  for (const char* bad : {"<p>", "</p>", "<p></b>", "<p a=b></p>", "<p a=\"1\" a=\"2\"></p>", "a & b",
                          "a < b", "<p a=\"&\"></p>", "<p a=\"1></p>", "<p", "<></>"}) {
    EXPECT_NE(FaultIn(bad), "") << bad;
  }
}

TEST(Markup, EscapesWhatWouldBeMarkup) {
  EXPECT_EQ(Escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  EXPECT_EQ(Escaped(std::string_view("a\0b\x7f", 4)), "a?b?");
  EXPECT_EQ(Coordinate(std::numeric_limits<double>::quiet_NaN()), "0");
  EXPECT_EQ(Coordinate(-0.01), "0");
  EXPECT_EQ(Coordinate(12.34), "12.3");
}

TEST(Page, IsWellFormed) { EXPECT_EQ(FaultIn(PageOf(UsualReport())), ""); }

TEST(Page, NamesEveryScenarioAndController) {
  const std::string page = PageOf(UsualReport());
  for (const char* text :
       {"burst", "idle", "Guests that do burst", "ballast-bare", "static", "hypeman", "made up for a test",
        "ballast-lab compare --seeds 3", BALLAST_VERSION, "3 worlds (seeds 1 to 3)"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
}

TEST(Page, EscapesNamesAndTitles) {
  Subject subject = MakeSubject("<b>&\"'");
  subject.title = "</p><script>alert(1)</script>";
  Report report = MakeReport({subject}, {MakeContender("ballast", true), MakeContender("<i>x</i>")});
  report.command_line = "ballast-lab compare '<u>&'";
  const std::string page = PageOf(report);
  EXPECT_EQ(FaultIn(page), "");
  for (const char* raw : {"<b>", "alert(1)</script>", "<i>", "<u>"}) EXPECT_THAT(page, Not(HasSubstr(raw)));
}

TEST(Page, NeedsNothingElse) {
  const std::string page = PageOf(UsualReport());
  for (const char* from_elsewhere : {"src=", "@import", "url(", "<link", "https:"}) {
    EXPECT_THAT(page, Not(HasSubstr(from_elsewhere)));
  }
}

TEST(Page, HoldsNoNumberThatIsNone) {
  Report report = UsualReport();
  WorldResult& world = report.comparison.scenarios[0].standings[1].worlds[0];
  world.measures.resident_byte_seconds = std::numeric_limits<double>::quiet_NaN();
  world.measures.used_byte_seconds = 1;
  world.length = {};
  const std::string page = WithoutScriptAndStyle(PageOf(report));
  const std::regex no_number("[^a-z](nan|inf|NaN|Infinity)[^a-z]");
  EXPECT_FALSE(std::regex_search(page, no_number));
}

TEST(Page, AWorldWithoutSamplesOrGuestsIsStillAPage) {
  Report report = UsualReport();
  for (Drawing& drawing : report.drawings) {
    drawing.samples.clear();
    drawing.guests.clear();
    drawing.host_bytes = 0;
    drawing.length = {};
  }
  EXPECT_EQ(FaultIn(PageOf(report)), "");
}

TEST(Page, ShowsTheNumbersOfTheText) {
  const Report report = UsualReport();
  const std::string page = std::regex_replace(PageOf(report), std::regex(" class=\"harm\""), "");
  const std::string text = std::regex_replace(TextOf(report), std::regex(" +"), " ");
  for (const ScenarioStandings& scenario : report.comparison.scenarios) {
    const Table table = TableOf(scenario);
    EXPECT_EQ(table.rows[2].cells[1], "3,708");  // 1235 + 1236 + 1237
    for (const Table::Row& row : table.rows) {
      std::string in_page;
      std::string in_text;
      for (const std::string& cell : row.cells) {
        in_page += StrCat("<td>", cell, "</td>");
        in_text += StrCat(in_text.empty() ? "\n" : " ", cell);
      }
      EXPECT_THAT(text, HasSubstr(in_text + "\n"));
      EXPECT_THAT(page, HasSubstr(in_page));
    }
  }
}

TEST(Page, MarksKillsAndCommandsInTheCharts) {
  const std::string page = WithoutScriptAndStyle(PageOf(UsualReport()));
  EXPECT_THAT(page, HasSubstr("2 OOM kills at "));
  EXPECT_THAT(page, HasSubstr("<path class=\"tick\""));
  EXPECT_THAT(page, HasSubstr("GiB</text>"));
  EXPECT_THAT(page, HasSubstr("minutes</text>"));
  EXPECT_THAT(page, HasSubstr("class=\"harm\""));
}

TEST(Draw, TakesBallastOnceAndThreeRivalsThePreferredFirst) {
  const std::vector<Contender> contenders = {MakeContender("a"),
                                             MakeContender("ballast", true),
                                             MakeContender("ballast-bare", true),
                                             MakeContender("b"),
                                             MakeContender("c"),
                                             MakeContender("d")};
  const auto drawings = Draw({MakeSubject("burst")}, contenders, {}, Eventful, {"d", "absent", "c"});
  std::vector<std::string> names;
  for (const Drawing& drawing : drawings) names.push_back(drawing.controller);
  EXPECT_THAT(names, testing::ElementsAre("ballast", "d", "c", "a"));
  EXPECT_EQ(drawings[0].samples.size(), 481u);
  EXPECT_THAT(drawings[0].guests, testing::ElementsAre("guest0", "guest1", "guest2", "guest3"));
}

}  // namespace
}  // namespace ballast::sim
