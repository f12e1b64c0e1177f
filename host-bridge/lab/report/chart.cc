#include "host-bridge/lab/report/chart.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"
#include "common/base/units.h"
#include "host-bridge/lab/report/markup.h"
#include "host-bridge/lab/report/number_text.h"
#include "host-bridge/lab/report/plot.h"

namespace ballast::sim {
namespace {

constexpr double kLeft = 46;
constexpr double kRight = 14;

struct Layout {
  double width = 0;
  double memory_height = 0;
  double stall_height = 0;
  int value_marks = 0;
  int time_marks = 0;
};

constexpr Layout kWideLayout{960, 250, 56, 5, 12};
constexpr Layout kSmallLayout{468, 120, 36, 3, 6};
constexpr double kTop = 26;
constexpr double kPanelGap = 30;
constexpr double kStripHeight = 14;
constexpr double kAxisRoom = 38;
constexpr double kGuestHeight = 60;

double Gib(int64_t bytes) { return static_cast<double>(bytes) / static_cast<double>(kGiB); }

double Percent(int32_t permyriad) { return static_cast<double>(permyriad) / 100; }

std::vector<Series> MemorySeries() {
  return {{"guests use", "used", true, [](const Sample& s) { return Gib(s.guests_used); }},
          {"sum of sizes", "size", false, [](const Sample& s) { return Gib(s.guests_size); }},
          {"resident", "resident", false, [](const Sample& s) { return Gib(s.guests_resident); }},
          {"host uses", "host", false, [](const Sample& s) { return Gib(s.host_used); }}};
}

std::vector<Series> StallSeries() {
  return {
      {"guests stall", "stall", true, [](const Sample& s) { return Percent(s.stall_permyriad); }},
      {"host stalls", "hoststall", false, [](const Sample& s) { return Percent(s.host_some_permyriad); }}};
}

std::string HostTotal(const Panel& panel, int64_t host_bytes) {
  const std::string y = Coordinate(panel.Y(Gib(host_bytes)));
  return StrCat("<line class=\"total\" x1=\"", Coordinate(panel.left), "\" x2=\"",
                Coordinate(panel.left + panel.width), "\" y1=\"", y, "\" y2=\"", y, "\"/>");
}

// A line down the panel and a cross above it for each sample with kills.
std::string Kills(const Panel& panel, const std::vector<Sample>& samples) {
  std::string markup;
  for (const Sample& sample : samples) {
    if (sample.oom_kills <= 0) continue;
    const std::string x = Coordinate(panel.X(sample.at));
    const std::string title =
        StrCat(CountText(sample.oom_kills), sample.oom_kills == 1 ? " OOM kill" : " OOM kills", " at ",
               SpanText(sample.at));
    markup +=
        Element("g", "class=\"kill\"",
                StrCat(Element("title", "", Escaped(title)), "<path d=\"M", x, " ", Coordinate(panel.top),
                       "v", Coordinate(panel.height), "\" class=\"killline\"/><path d=\"M", x, " ",
                       Coordinate(panel.top - 4), "m-4 -4l8 8m0 -8l-8 8\"/>"));
  }
  return markup;
}

// One tick for each sample with commands, the longer the more there were.
std::string Decisions(const Panel& strip, const std::vector<Sample>& samples) {
  int64_t most = 1;
  for (const Sample& sample : samples) most = std::max(most, sample.commands);
  std::string path;
  for (const Sample& sample : samples) {
    if (sample.commands <= 0) continue;
    const double share = 0.35 + 0.65 * static_cast<double>(sample.commands) / static_cast<double>(most);
    path += StrCat("M", Coordinate(strip.X(sample.at)), " ", Coordinate(strip.top + strip.height), "v-",
                   Coordinate(strip.height * share));
  }
  std::string markup = Label(strip.left - 6, strip.top + strip.height - 2, "unit value", "cmds");
  if (!path.empty()) markup += StrCat("<path class=\"tick\" d=\"", path, "\"/>");
  return markup;
}

std::string GuestPanel(const Drawing& drawing, Panel panel, size_t guest) {
  const auto at = [guest](const std::vector<int64_t>& values) {
    return guest < values.size() ? Gib(values[guest]) : 0;
  };
  const std::vector<Series> series = {
      {drawing.guests[guest] + " uses", "used", true, [at](const Sample& s) { return at(s.guest_used); }},
      {drawing.guests[guest] + " size", "size", false, [at](const Sample& s) { return at(s.guest_size); }}};
  return ValueAxis(panel, 2) + Label(panel.left + 4, panel.top - 7, "name", drawing.guests[guest]) +
         SeriesMarkup(panel, drawing.samples, series);
}

// Two columns of single guests below `top`; moves `top` to their lower end.
std::string GuestPanels(const Drawing& drawing, const Panel& whole, const ChartScale& scale, double& top) {
  std::string markup;
  const double width = (whole.width - kLeft - kRight) / 2;
  for (size_t i = 0; i < drawing.guests.size(); ++i) {
    Panel panel{whole.left + (i % 2 == 0 ? 0 : width + kLeft + kRight),
                top,
                width,
                kGuestHeight,
                drawing.length,
                scale.guest_gib,
                "GiB"};
    markup += GuestPanel(drawing, panel, i);
    const bool row_ends = i % 2 == 1 || i + 1 == drawing.guests.size();
    if (row_ends) top += kGuestHeight + kPanelGap;
    if (i + 2 >= drawing.guests.size()) markup += TimeAxis(panel, 6);
  }
  if (!drawing.guests.empty()) top += kAxisRoom - kPanelGap;
  return markup;
}

}  // namespace

ChartScale ScaleOf(const std::vector<const Drawing*>& drawings) {
  ChartScale scale{0.1, 0.1, 1};
  for (const Drawing* drawing : drawings) {
    scale.memory_gib = std::max(scale.memory_gib, Gib(drawing->host_bytes));
    for (const Sample& sample : drawing->samples) {
      for (const Series& series : MemorySeries()) {
        scale.memory_gib = std::max(scale.memory_gib, series.value(sample));
      }
      for (const Series& series : StallSeries()) {
        scale.stall_percent = std::max(scale.stall_percent, series.value(sample));
      }
      for (const int64_t bytes : sample.guest_size) scale.guest_gib = std::max(scale.guest_gib, Gib(bytes));
    }
  }
  return scale;
}

std::string ChartOf(const Drawing& drawing, const ChartScale& scale, ChartSize size) {
  const bool wide = size == ChartSize::kWide;
  const Layout& layout = wide ? kWideLayout : kSmallLayout;
  const double width = layout.width - kLeft - kRight;
  const Panel memory{kLeft, kTop, width, layout.memory_height, drawing.length, scale.memory_gib, "GiB"};
  const Panel stall{kLeft,          memory.top + memory.height + kPanelGap,
                    width,          layout.stall_height,
                    drawing.length, scale.stall_percent,
                    "% stall"};
  const Panel strip{kLeft, stall.top + stall.height + 8, width, kStripHeight, drawing.length, 1, ""};
  std::string markup = ValueAxis(memory, layout.value_marks) +
                       SeriesMarkup(memory, drawing.samples, MemorySeries()) +
                       HostTotal(memory, drawing.host_bytes) + Kills(memory, drawing.samples) +
                       ValueAxis(stall, 2) + SeriesMarkup(stall, drawing.samples, StallSeries()) +
                       Decisions(strip, drawing.samples) + TimeAxis(strip, layout.time_marks);
  double bottom = strip.top + strip.height + kAxisRoom;
  if (wide && !drawing.guests.empty()) {
    bottom += kPanelGap - 8;
    // In a group of their own: the page's script reads only the panels directly below the picture.
    markup += Element("g", "", GuestPanels(drawing, memory, scale, bottom));
  }
  const TimeUnit unit = TimeUnitFor(drawing.length, layout.time_marks);
  const double span = static_cast<double>(drawing.length.count) / static_cast<double>(unit.size.count);
  const std::string label = StrCat(drawing.controller, " in ", drawing.scenario, ", seed ", drawing.seed);
  return Element(
      "svg",
      StrCat("class=\"chart\" role=\"img\" aria-label=\"", Escaped(label), "\" viewBox=\"0 0 ",
             Coordinate(layout.width), " ", Coordinate(bottom), "\" data-left=\"", Coordinate(kLeft),
             "\" data-width=\"", Coordinate(width), "\" data-bottom=\"", Coordinate(strip.top + strip.height),
             "\" data-span=\"", Coordinate(span), "\" data-time=\"", unit.name, "\""),
      markup);
}

std::string ChartLegend() {
  struct Entry {
    std::string_view style;
    std::string_view text;
  };
  constexpr std::array<Entry, 9> kEntries = {{{"total", "host memory, total"},
                                              {"host", "host memory in use"},
                                              {"size", "guests' sizes (boot memory less balloon)"},
                                              {"resident", "host memory behind the guests"},
                                              {"used", "in use in the guests, page cache included"},
                                              {"stall", "guests' tasks waiting for memory (mean)"},
                                              {"hoststall", "the host's tasks waiting for memory"},
                                              {"tick", "commands to balloons"},
                                              {"kill", "OOM kill"}}};
  std::string items;
  for (const Entry& entry : kEntries) {
    const bool filled = entry.style == "used" || entry.style == "stall";
    std::string mark = StrCat("<line class=\"", entry.style, "\" x1=\"1\" x2=\"23\" y1=\"6\" y2=\"6\"/>");
    if (filled)
      mark = StrCat("<rect class=\"", entry.style, "\" x=\"1\" y=\"1\" width=\"22\" height=\"10\"/>");
    if (entry.style == "kill") mark = "<g class=\"kill\"><path d=\"M12 6m-4 -4l8 8m0 -8l-8 8\"/></g>";
    if (entry.style == "tick") mark = "<path class=\"tick\" d=\"M5 11v-9M9 11v-5M16 11v-10M19 11v-4\"/>";
    items += Element("li", "",
                     StrCat("<svg viewBox=\"0 0 24 12\" aria-hidden=\"true\">", mark, "</svg>", entry.text));
  }
  return Element("ul", "class=\"legend\"", items);
}

}  // namespace ballast::sim
