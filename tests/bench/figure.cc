#include "tests/bench/figure.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_format.h"
#include "common/base/text.h"

namespace ballast::bench {

double Percentile(std::vector<double> samples, double share) {
  std::sort(samples.begin(), samples.end());
  const size_t rank = static_cast<size_t>(std::ceil(share * static_cast<double>(samples.size())));
  return samples[std::clamp<size_t>(rank, 1, samples.size()) - 1];
}

std::string TableOf(const std::vector<Figure>& figures) {
  std::string table =
      absl::StrFormat("%-42s %14s %-6s %-9s %-4s %s\n", "figure", "value", "unit", "goal", "met", "beside");
  for (const Figure& figure : figures) {
    const std::string value = figure.value ? absl::StrFormat("%.3f", *figure.value) : "-";
    const std::string met = figure.met ? (*figure.met ? "yes" : "NO") : "-";
    table += absl::StrFormat("%-42s %14s %-6s %-9s %-4s %s\n", figure.name, value, figure.unit, figure.goal,
                             met, figure.peer);
    table += absl::StrFormat("    %s\n", figure.how);
  }
  return table;
}

absl::Status WriteJson(const std::vector<Figure>& figures, const std::string& path) {
  boost::json::array list;
  for (const Figure& figure : figures) {
    boost::json::object entry;
    entry["name"] = figure.name;
    entry["value"] = figure.value ? boost::json::value(*figure.value) : boost::json::value(nullptr);
    entry["unit"] = figure.unit;
    entry["goal"] = figure.goal;
    entry["met"] = figure.met ? boost::json::value(*figure.met) : boost::json::value(nullptr);
    entry["peer"] = figure.peer;
    entry["how"] = figure.how;
    list.push_back(std::move(entry));
  }
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path);
  file << boost::json::serialize(list) << "\n";
  return file ? absl::OkStatus() : absl::InternalError(StrCat(path, ": cannot be written"));
}

}  // namespace ballast::bench
