#include "tests/host-bridge/policy/property_runner.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/host-bridge/policy/invariants.h"
#include "tests/host-bridge/policy/property_stories.h"
#include "tests/host-bridge/policy/property_text.h"
#include "tests/host-bridge/policy/shrink.h"

namespace ballast::policy {
namespace {

constexpr uint64_t kFirstSeed = 20'260'101;

// Without optimisation, and under a sanitizer, a step takes ten to thirty times as long.
#ifdef NDEBUG
constexpr int64_t kStepsDivisor = 1;
#else
constexpr int64_t kStepsDivisor = 20;
#endif

// A check without memory, or one that begins anew with each story.
template <Broken (*check)(const World&, const Outcome&)>
Broken Plain(const Story& story) {
  return Play(story, check);
}
CheckI8::World KindOf(const Story& story) {
  const auto is_visible = [](const Nature& nature) { return nature.hot_bytes == 0; };
  // Faster than what rule 4 calls a stall.
  const auto obeys = [](const Nature& nature) {
    return !nature.deaf && (nature.take_bytes_per_second == 0 || nature.take_bytes_per_second >= 16 * kMiB);
  };
  if (!std::all_of(story.natures.begin(), story.natures.end(), is_visible)) return CheckI8::World::kAny;
  const bool all_obey = std::all_of(story.natures.begin(), story.natures.end(), obeys);
  return all_obey ? CheckI8::World::kAllObey : CheckI8::World::kAllIsVisible;
}

// Whatever the story's readings say, they are made what the natures say: a shrunk one stays constant.
Broken CheckConstant(const Story& story) {
  Story constant = story;
  Settle(constant.scenes.front().snapshot, constant.natures);
  if (!IsConstant(constant)) return std::nullopt;
  CheckI8 check(KindOf(constant));
  return Play(constant, [&](const World& before, const Outcome& outcome) { return check(before, outcome); });
}
template <typename Check>
Broken Recorded(const Story& story) {
  Check check;
  return Play(story, [&](const World& before, const Outcome& outcome) { return check(before, outcome); });
}

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  const long long number = text == nullptr ? 0 : std::strtoll(text, nullptr, 10);
  return number > 0 ? number : otherwise;
}

}  // namespace

const std::vector<Property>& Properties() {
  static const std::vector<Property> kProperties = {
      {"I1", MakeAnything, Plain<CheckI1>, 4'000'000},    {"I2", MakeAnything, Plain<CheckI2>, 4'000'000},
      {"I3", MakeAnything, Plain<CheckI3>, 4'000'000},    {"I4", MakeAnything, Plain<CheckI4>, 4'000'000},
      {"I5", MakeAnything, Recorded<CheckI5>, 4'000'000}, {"I6", MakeLiars, Plain<CheckI6>, 4'000'000},
      {"I7", MakeTwins, Plain<CheckI7>, 2'000'000},       {"I8", MakeConstant, CheckConstant, 20'000'000},
      {"I9", MakeAnything, Recorded<CheckI9>, 4'000'000},
  };
  return kProperties;
}

const Property* FindProperty(std::string_view name) {
  for (const Property& property : Properties()) {
    if (property.name == name) return &property;
  }
  return nullptr;
}

Budget BudgetFor(const Property& property) {
  return {static_cast<uint64_t>(FromEnvironment("BALLAST_PROPERTY_SEED", kFirstSeed)),
          FromEnvironment("BALLAST_PROPERTY_STEPS", property.default_steps / kStepsDivisor)};
}

Budget FullBudgetFor(const Property& property) { return {kFirstSeed, property.default_steps}; }

std::optional<Failure> RunProperty(const Property& property, const Budget& budget) {
  int64_t steps = 0;
  for (uint64_t seed = budget.first_seed; steps < budget.steps; ++seed) {
    RandomWorld random(seed);
    const Story story = property.make(random);
    if (const Broken broken = property.check(story)) return Failure{seed, steps, *broken, story};
    steps += story.Steps();
  }
  return std::nullopt;
}

std::string Report(const Property& property, const Failure& failure, const std::string& folder) {
  const Story small =
      Shrink(failure.story, [&](const Story& story) { return property.check(story).has_value(); });
  const std::string name = std::string(property.name) + "-" + std::to_string(failure.seed) + ".txt";
  std::error_code ignored;  // then the file cannot be written either
  std::filesystem::create_directories(folder, ignored);
  const std::string what = property.check(small).value_or(failure.what);
  const std::string text =
      "# " + what + "\ninvariant = " + std::string(property.name) + "\n" + FormatStory(small);
  std::ofstream file(folder + "/" + name);
  file << text;
  file.close();
  const std::string where =
      file ? "written to " + folder + "/" + name : "which could not be written to " + folder;
  return std::string(property.name) + " does not hold: " + failure.what +
         "\nBALLAST_PROPERTY_SEED=" + std::to_string(failure.seed) + "; a small world that shows it, " +
         where + ":\n" + text;
}

}  // namespace ballast::policy
