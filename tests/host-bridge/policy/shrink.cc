#include "tests/host-bridge/policy/shrink.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tests/host-bridge/policy/property_fields.h"
#include "tests/host-bridge/policy/property_text.h"

namespace ballast::policy {
namespace {

class Shrinker {
 public:
  Shrinker(Story story, const StillFails& fails, int64_t most_tries)
      : story_(std::move(story)), fails_(fails), tries_left_(most_tries) {}

  Story Run() {
    bool smaller = true;
    while (smaller && tries_left_ > 0) {
      smaller = DropLooks();
      smaller = DropGuests() || smaller;
      smaller = DropHolds() || smaller;
      smaller = SimplifyFields() || smaller;
      smaller = SimplifyNames() || smaller;
    }
    return std::move(story_);
  }

 private:
  bool Try(Story candidate) {
    if (tries_left_ <= 0) return false;
    --tries_left_;
    if (!fails_(candidate)) return false;
    story_ = std::move(candidate);
    return true;
  }

  [[nodiscard]] int64_t Looks() const { return static_cast<int64_t>(story_.scenes.size()) + story_.ticks; }

  // Large pieces first: a story of a thousand ticks is not shortened one by one.
  bool DropLooks() {
    bool smaller = false;
    for (int64_t piece = Looks() / 2; piece > 0; piece /= 2) {
      while (piece < Looks() && (Try(EndSooner(piece)) || Try(BeginLater(story_, piece)))) smaller = true;
    }
    return smaller;
  }

  [[nodiscard]] Story EndSooner(int64_t looks) const {
    Story shorter = story_;
    const int64_t ticks = std::min(looks, shorter.ticks);
    shorter.ticks -= ticks;
    shorter.scenes.resize(shorter.scenes.size() - static_cast<size_t>(looks - ticks));
    return shorter;
  }

  bool DropGuests() {
    bool smaller = false;
    for (size_t i = story_.scenes.front().snapshot.guests.size(); i-- > 0;) {
      if (story_.scenes.front().snapshot.guests.size() == 1) break;
      Story candidate = story_;
      const auto at = static_cast<ptrdiff_t>(i);
      for (Scene& scene : candidate.scenes) scene.snapshot.guests.erase(scene.snapshot.guests.begin() + at);
      if (i < candidate.natures.size()) candidate.natures.erase(candidate.natures.begin() + at);
      smaller = Try(std::move(candidate)) || smaller;
    }
    return smaller;
  }

  bool DropHolds() {
    bool smaller = false;
    for (size_t scene = 0; scene < story_.scenes.size(); ++scene) {
      for (size_t i = story_.scenes[scene].snapshot.reclaim_holds.size(); i-- > 0;) {
        Story candidate = story_;
        auto& holds = candidate.scenes[scene].snapshot.reclaim_holds;
        holds.erase(holds.begin() + static_cast<ptrdiff_t>(i));
        smaller = Try(std::move(candidate)) || smaller;
      }
    }
    return smaller;
  }

  // The index stays what it is while the list changes: one that comes to denote another field is tried again
  // in the next round.
  bool SimplifyFields() {
    bool smaller = false;
    for (size_t i = 0; i < FieldsOf(story_).size(); ++i) smaller = SimplifyField(i) || smaller;
    return smaller;
  }

  // All at once: a guest that alone takes the name of another is no longer told from it.
  bool SimplifyNames() {
    Story candidate = story_;
    bool changed = false;
    for (const NameField& field : NamesOf(candidate)) {
      changed = changed || *field.name != field.neutral;
      *field.name = field.neutral;
    }
    return changed && Try(std::move(candidate));
  }

  bool SimplifyField(size_t index) {
    const Field field = FieldsOf(story_)[index];
    if (field.grows || field.value == field.neutral) return false;
    if (TrySet(index, field.neutral)) return true;
    if (field.presence) return false;
    for (const int64_t value : Rounder(field)) {
      if (TrySet(index, value)) return true;
    }
    return false;
  }

  bool TrySet(size_t index, std::optional<int64_t> value) {
    Story candidate = story_;
    FieldsOf(candidate)[index].set(value);
    return Try(std::move(candidate));
  }

  static std::string Text(const Field& field, int64_t value) {
    return FormatValue(value, field.unit == Unit::kBytes, field.unit == Unit::kSpan);
  }

  // Values that are written shorter, or as short and nearer to zero: so that this ends.
  static std::vector<int64_t> Rounder(const Field& field) {
    constexpr std::array<int64_t, 5> kByteUnits = {16 * kGiB, kGiB, 128 * kMiB, 16 * kMiB, kMiB};
    constexpr std::array<int64_t, 5> kOtherUnits = {60'000'000'000, 10'000'000'000, 1'000'000'000, 1'000'000,
                                                    100};
    const int64_t value = *field.value;
    std::vector<int64_t> values = {0, value / 2};
    for (const int64_t unit : field.unit == Unit::kBytes ? kByteUnits : kOtherUnits) {
      const int64_t down = value / unit * unit;
      values.push_back(down);
      int64_t up = 0;
      if (!__builtin_add_overflow(down, value < 0 ? -unit : unit, &up)) values.push_back(up);
    }
    const size_t length = Text(field, value).size();
    const auto magnitude = [](int64_t v) { return v < 0 ? -(v + 1) : v; };
    std::erase_if(values, [&](int64_t v) {
      const size_t other = Text(field, v).size();
      return other > length || (other == length && magnitude(v) >= magnitude(value));
    });
    return values;
  }

  Story story_;
  const StillFails& fails_;
  int64_t tries_left_;
};

}  // namespace

Story Shrink(Story story, const StillFails& fails, int64_t most_tries) {
  return Shrinker(std::move(story), fails, most_tries).Run();
}

}  // namespace ballast::policy
