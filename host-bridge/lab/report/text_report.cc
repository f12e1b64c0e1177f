#include "host-bridge/lab/report/text_report.h"

#include <algorithm>

#include "common/base/text.h"
#include "host-bridge/lab/report/measures.h"
#include "host-bridge/lab/report/summary.h"
#include "host-bridge/lab/report/verdict.h"

namespace ballast::sim {
namespace {

constexpr size_t kLineWidth = 120;

std::vector<size_t> WidthsOf(const Table& table) {
  std::vector<size_t> widths(table.tops.size());
  for (size_t i = 0; i < widths.size(); ++i) {
    widths[i] = std::max(table.tops[i].size(), table.bottoms[i].size());
    for (const Table::Row& row : table.rows) widths[i] = std::max(widths[i], row.cells[i].size());
  }
  return widths;
}

// Between columns: two blanks where they find room.
size_t GapFor(const std::vector<size_t>& widths) {
  size_t width = 2 * (widths.size() - 1);
  for (const size_t one : widths) width += one;
  return width <= kLineWidth ? 2 : 1;
}

std::string LineOf(const std::vector<std::string>& cells, const std::vector<size_t>& widths) {
  const std::string gap(GapFor(widths), ' ');
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string pad(widths[i] - cells[i].size(), ' ');
    line += i == 0 ? cells[i] + pad : gap + pad + cells[i];
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string Heading(const std::string& text) {
  return StrCat(text, "\n", std::string(text.size(), '='), "\n");
}

std::string DefinitionsText() {
  std::string text = Heading("What the columns mean");
  for (const Column& column : Columns()) {
    text += Wrapped(StrCat(column.top, " ", column.bottom, ": ", column.definition), "  ", "    ");
  }
  return text + "\n";
}

std::string ScenarioText(const Report& report, const ScenarioStandings& scenario) {
  std::string text = Heading(scenario.name) + Wrapped(scenario.title) +
                     Wrapped(CaptionOf(report.comparison, scenario)) + "\n";
  return text + TextOf(TableOf(scenario));
}

std::string VerdictText(const Report& report) {
  std::string text = Heading("Verdict");
  for (const VerdictList& list : ListsOf(report.comparison, Judge(report.comparison))) {
    text += Wrapped(list.heading + ":");
    for (const std::string& line : list.lines) text += Wrapped(line, "  ", "    ");
    text += "\n";
  }
  return text;
}

}  // namespace

std::string Wrapped(std::string_view text, std::string_view indent, std::string_view hanging) {
  std::string lines;
  while (!text.empty()) {
    const std::string begin = StrCat(indent, lines.empty() ? "" : hanging);
    const size_t room = kLineWidth - begin.size();
    size_t end = text.size();
    if (end > room) {
      end = text.rfind(' ', room);
      if (end == std::string_view::npos || end == 0) end = std::min(text.find(' ', room), text.size());
    }
    lines += StrCat(begin, text.substr(0, end), "\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string TextOf(const Table& table) {
  const std::vector<size_t> widths = WidthsOf(table);
  std::string text = LineOf(table.tops, widths) + LineOf(table.bottoms, widths);
  for (const Table::Row& row : table.rows) text += LineOf(row.cells, widths);
  return text + "\n";
}

std::string TextOf(const Report& report) {
  std::string text = Wrapped(StrCat("ballast-lab ", BALLAST_VERSION, ": ", report.command_line)) + "\n";
  for (const ScenarioStandings& scenario : report.comparison.scenarios)
    text += ScenarioText(report, scenario);
  if (report.comparison.scenarios.size() > 1) {
    text += Heading("All scenarios together") + TextOf(OverviewOf(report.comparison));
  }
  if (!report.densities.empty()) text += Heading("Density") + Wrapped(DensityCaption(report)) + "\n";
  for (const ScenarioDensity& density : report.densities) {
    text += StrCat(density.scenario, "\n", TextOf(TableOf(density)));
  }
  return text + VerdictText(report) + DefinitionsText();
}

}  // namespace ballast::sim
