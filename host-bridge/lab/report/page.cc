#include "host-bridge/lab/report/page.h"

#include <algorithm>

#include "common/base/text.h"
#include "host-bridge/lab/report/chart.h"
#include "host-bridge/lab/report/markup.h"
#include "host-bridge/lab/report/measures.h"
#include "host-bridge/lab/report/number_text.h"
#include "host-bridge/lab/report/page_style.h"
#include "host-bridge/lab/report/summary.h"
#include "host-bridge/lab/report/verdict.h"

namespace ballast::sim {
namespace {

std::string Paragraph(std::string_view style, std::string_view text) {
  return Element("p", style.empty() ? "" : StrCat("class=\"", style, "\""), Escaped(text));
}

std::string Heading(std::string_view name, std::string_view id, std::string_view text) {
  return Element(name, id.empty() ? "" : StrCat("id=\"", Escaped(id), "\""), Escaped(text));
}

std::string IdOf(std::string_view scenario) { return StrCat("scenario-", scenario); }

std::string TableMarkup(const Table& table) {
  std::string head;
  for (size_t i = 0; i < table.tops.size(); ++i) {
    head += Element("th", "", StrCat(Escaped(table.tops[i]), "<br/>", Escaped(table.bottoms[i])));
  }
  std::string body;
  for (const Table::Row& row : table.rows) {
    std::string cells;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const bool harm = table.harmful[i] && row.cells[i] != "0";
      cells += Element("td", harm ? "class=\"harm\"" : "", Escaped(row.cells[i]));
    }
    body += Element("tr", row.ours ? "class=\"ours\"" : "", cells);
  }
  return Element(
      "div", "class=\"scroll\"",
      Element("table", "", Element("thead", "", Element("tr", "", head)) + Element("tbody", "", body)));
}

std::string Header(const Report& report) {
  const Comparison& comparison = report.comparison;
  std::string markup = Heading("h1", "", "Ballast and its rivals in the same worlds");
  markup += Paragraph("soft", StrCat("ballast-lab ", BALLAST_VERSION, "; ", comparison.scenarios.size(),
                                     " scenarios, ", comparison.contenders.size(), " controllers, ",
                                     comparison.seeds, " worlds each, from seed ", comparison.first_seed,
                                     ". The same command gives the same numbers."));
  markup += Element("p", "", Element("code", "", Escaped(report.command_line)));
  std::string links;
  for (const ScenarioStandings& scenario : comparison.scenarios) {
    links +=
        Element("a", StrCat("href=\"#", Escaped(IdOf(scenario.name)), "\""), Escaped(scenario.name)) + " ";
  }
  return markup + Element("nav", "", links);
}

std::string VerdictMarkup(const Comparison& comparison) {
  std::string markup;
  for (const VerdictList& list : ListsOf(comparison, Judge(comparison))) {
    std::string items;
    for (const std::string& line : list.lines) items += Element("li", "", Escaped(line));
    markup +=
        Element("section", "class=\"verdict\"", Heading("h3", "", list.heading) + Element("ul", "", items));
  }
  return Heading("h2", "verdict", "Verdict") + markup;
}

std::string DensityMarkup(const Report& report) {
  if (report.densities.empty()) return "";
  std::string markup = Heading("h2", "density", "Density") + Paragraph("", DensityCaption(report));
  for (const ScenarioDensity& density : report.densities) {
    markup += Heading("h3", "", density.scenario) + TableMarkup(TableOf(density));
  }
  return markup;
}

std::string Figure(const Drawing& drawing, const ChartScale& scale, ChartSize size) {
  const std::string caption = StrCat(drawing.controller, ", seed ", drawing.seed, ", a sample every ",
                                     SpanText(drawing.sample_every));
  return Element("figure", "", Element("figcaption", "", Escaped(caption)) + ChartOf(drawing, scale, size));
}

// Ballast's picture in full width, its rivals' small below it.
std::string Charts(const Report& report, const std::string& scenario) {
  std::vector<const Drawing*> drawings;
  for (const Drawing& drawing : report.drawings) {
    if (drawing.scenario == scenario) drawings.push_back(&drawing);
  }
  if (drawings.empty()) return "";
  const ChartScale scale = ScaleOf(drawings);
  std::string markup = ChartLegend() + Figure(*drawings.front(), scale, ChartSize::kWide);
  std::string rivals;
  for (size_t i = 1; i < drawings.size(); ++i) rivals += Figure(*drawings[i], scale, ChartSize::kSmall);
  return rivals.empty() ? markup : markup + Element("div", "class=\"rivals\"", rivals);
}

std::string Promises(const ScenarioStandings& scenario) {
  const auto own = std::find_if(scenario.standings.begin(), scenario.standings.end(),
                                [](const Standing& standing) { return standing.ours; });
  if (own == scenario.standings.end() || scenario.expectations.empty()) return "";
  std::string items;
  for (const Judgement& judgement : JudgeExpectations(scenario.expectations, own->worlds)) {
    items += Element("li", "", Escaped(TextOf(judgement)));
  }
  return Heading("h3", "", "What the scenario file promises of Ballast") + Element("ul", "", items);
}

std::string ScenarioMarkup(const Report& report, const ScenarioStandings& scenario) {
  return Element("section", "",
                 Heading("h2", IdOf(scenario.name), scenario.name) + Paragraph("", scenario.title) +
                     Paragraph("soft", CaptionOf(report.comparison, scenario)) +
                     Charts(report, scenario.name) + TableMarkup(TableOf(scenario)) + Promises(scenario));
}

std::string Definitions(const Comparison& comparison) {
  std::string columns;
  for (const Column& column : Columns()) {
    columns += Element("dt", "", Escaped(StrCat(column.top, " ", column.bottom))) +
               Element("dd", "", Escaped(column.definition));
  }
  std::string sources;
  for (const Contender& contender : comparison.contenders) {
    sources +=
        Element("dt", "", Escaped(contender.kind.name)) + Element("dd", "", Escaped(contender.kind.source));
  }
  return Heading("h2", "columns", "What the columns mean") + Element("dl", "", columns) +
         Heading("h2", "controllers", "The controllers and where their rules come from") +
         Element("dl", "", sources);
}

}  // namespace

std::string PageOf(const Report& report) {
  const Comparison& comparison = report.comparison;
  std::string body = Header(report) + VerdictMarkup(comparison);
  if (comparison.scenarios.size() > 1) {
    body += Heading("h2", "all", "All scenarios together") + TableMarkup(OverviewOf(comparison));
  }
  body += DensityMarkup(report);
  for (const ScenarioStandings& scenario : comparison.scenarios) body += ScenarioMarkup(report, scenario);
  body += Definitions(comparison);
  const std::string head =
      "<meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>" +
      Element("title", "", "Ballast and its rivals") + Element("style", "", PageStyle());
  return "<!DOCTYPE html>\n" +
         Element(
             "html", "lang=\"en\"",
             Element("head", "", head) + Element("body", "", body + Element("script", "", PageScript()))) +
         "\n";
}

}  // namespace ballast::sim
