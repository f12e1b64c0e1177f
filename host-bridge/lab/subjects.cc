#include "host-bridge/lab/subjects.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <sstream>

#include "absl/strings/str_join.h"
#include "common/base/text.h"
#include "common/os/file_reader.h"
#include "host-bridge/config/policy_setting.h"
#include "host-bridge/lab/rivals/rivals.h"
#include "host-bridge/lab/scenario/scenario.h"
#include "host-bridge/lab/world/ballast_controller.h"
#include "host-bridge/lab/world/static_sizes.h"

namespace ballast::sim {
namespace {

namespace fs = std::filesystem;

constexpr char kEnding[] = ".scenario";

absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    std::vector<std::string> files;
    fs::directory_iterator entries(path, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
      if (entries->path().extension() == kEnding) files.push_back(entries->path().generic_string());
    }
    if (error) return absl::InvalidArgumentError(StrCat(path, ": ", error.message()));
    std::sort(files.begin(), files.end());
    if (!files.empty()) return files;
    return absl::InvalidArgumentError(StrCat(path, ": holds no file *", kEnding));
  }
  if (fs::exists(path, error)) return std::vector<std::string>{path};
  const std::string by_name = StrCat(kScenarioFolder, "/", path, kEnding);
  if (fs::exists(by_name, error)) return std::vector<std::string>{by_name};
  return absl::InvalidArgumentError(StrCat(path, ": neither a file or folder nor a scenario in ",
                                           kScenarioFolder, "/ below the present directory"));
}

absl::StatusOr<Subject> LoadFile(const std::string& file) {
  // A device or a pipe would be read for ever.
  std::error_code error;
  if (!fs::is_regular_file(file, error))
    return absl::InvalidArgumentError(StrCat(file, ": is no regular file"));
  const auto text = FileReader().Read(fs::absolute(file).string());
  if (!text.ok()) return absl::InvalidArgumentError(MessageOf(text.status()));
  auto read = ReadScenario(file, *text);
  if (!read.ok()) return read.status();
  const auto scenario = std::make_shared<const Scenario>(*std::move(read));
  return Subject{scenario->name(),
                 scenario->title(),
                 scenario->expectations(),
                 scenario->measures_density(),
                 scenario->guests(),
                 [scenario](uint64_t seed, int guests) { return scenario->Plan(seed, guests); }};
}

}  // namespace

absl::StatusOr<std::vector<Subject>> LoadSubjects(const std::vector<std::string>& paths) {
  std::vector<Subject> subjects;
  std::string faults;
  const auto fault = [&](const absl::Status& status) {
    faults += (faults.empty() ? "" : "\n") + MessageOf(status);
  };
  for (const std::string& path : paths.empty() ? std::vector<std::string>{kScenarioFolder} : paths) {
    const auto files = FilesOf(path);
    if (!files.ok()) {
      fault(files.status());
      continue;
    }
    for (const std::string& file : *files) {
      auto subject = LoadFile(file);
      if (!subject.ok()) {
        fault(subject.status());
      } else if (std::any_of(subjects.begin(), subjects.end(),
                             [&](const Subject& other) { return other.name == subject->name; })) {
        fault(absl::InvalidArgumentError(
            StrCat(file, ": a scenario called '", subject->name, "' is already there; results go by name")));
      } else {
        subjects.push_back(*std::move(subject));
      }
    }
  }
  if (!faults.empty()) return absl::InvalidArgumentError(faults);
  return subjects;
}

absl::StatusOr<std::vector<Subject>> WithPolicy(std::vector<Subject> subjects,
                                                const std::vector<std::string>& settings) {
  if (settings.empty()) return subjects;
  for (Subject& subject : subjects) {
    policy::PolicyConfig policy = subject.plan(1, 0).policy;
    for (const std::string& setting : settings) {
      if (auto status = config::ApplyPolicySetting(setting, policy); !status.ok())
        return WithContext("--policy", status);
    }
    const std::vector<std::string> faults = config::PolicyFaults(policy);
    if (!faults.empty())
      return absl::InvalidArgumentError(
          StrCat("--policy: ", subject.name, ": ", absl::StrJoin(faults, "; ")));
    subject.plan = [inner = subject.plan, policy](uint64_t seed, int guests) {
      WorldPlan plan = inner(seed, guests);
      plan.policy = policy;
      return plan;
    };
  }
  return subjects;
}

std::vector<Contender> AllContenders() {
  std::vector<Contender> contenders = {{Ballast(), true},
                                       {BallastWithoutReporting(), true},
                                       {BallastWithoutDeflate(), true},
                                       {StaticSizes(), false}};
  for (ControllerKind& rival : Rivals()) contenders.push_back({std::move(rival), false});
  return contenders;
}

absl::StatusOr<std::vector<Contender>> ChooseContenders(const std::string& list) {
  const std::vector<Contender> all = AllContenders();
  if (list.empty()) return all;
  std::vector<Contender> chosen;
  std::stringstream names(list);
  for (std::string name; std::getline(names, name, ',');) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Contender& c) { return c.kind.name == name; });
    if (found != all.end()) {
      chosen.push_back(*found);
      continue;
    }
    std::string known;
    for (const Contender& contender : all) known += (known.empty() ? "" : ", ") + contender.kind.name;
    return absl::InvalidArgumentError(StrCat("no controller is called '", name, "'; there are ", known));
  }
  return chosen;
}

}  // namespace ballast::sim
