// The invariants I1 to I9 of docs/rules.md as checks of one decision, written from their text and not from
// the code. `before` is the world as it went into the decision. What they say is the first thing found
// broken.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "tests/host-bridge/policy/property_story.h"

namespace ballast::policy {

// No decision leaves a guest outside [floor, ceiling], nor one that is outside already any further out.
[[nodiscard]] Broken CheckI1(const World& before, const Outcome& outcome);

// Nothing is taken on absent, stale, inconsistent or rejected data, nor, but for a critical host, from
// a guest that lives on zram or says that it has nothing to give; in observe and guard nothing is ever taken.
[[nodiscard]] Broken CheckI2(const World& before, const Outcome& outcome);

// While a guest is critical its target only moves towards zero balloon, and no inflation stays on its way.
[[nodiscard]] Broken CheckI3(const World& before, const Outcome& outcome);

// Grants of one decision, and those seen to be on their way, fit into what the host has above its reserve;
// critical guests may have half of the reserve too. With the host unknown only they and restarted guests are
// given.
[[nodiscard]] Broken CheckI4(const World& before, const Outcome& outcome);

// A taking is at most half the slack, at most one step. Rule 8 counts with what the guest used lately: the
// check keeps its own record of that, besides the one that came with the world.
class CheckI5 {
 public:
  [[nodiscard]] Broken operator()(const World& before, const Outcome& outcome);

 private:
  struct Use {
    MonotonicTime at;
    int64_t bytes = 0;
  };
  struct Taken {
    size_t guest = 0;
    Rule rule = Rule::kNone;
    int64_t bytes = 0;
  };
  [[nodiscard]] Broken Judge(const World& before, const Taken& taken) const;

  MonotonicTime last_now_;
  std::vector<std::deque<Use>> used_;  // a guest; of the last working_set_window
};

// While the host has its reserve, others' demands push nobody below its baseline. What a guest gives there
// for its own idleness it would give alone, and what a hold takes there needs a hold.
[[nodiscard]] Broken CheckI6(const World& before, const Outcome& outcome);

// The same input gives the same outcome, the order of guests and holds does not matter, and a Decider that
// decided something else before says the same.
[[nodiscard]] Broken CheckI7(const World& before, const Outcome& outcome);

// Constant use. No balloon turns back by more than 64 MiB three times within 10 minutes: a full release may
// be too much, and a taking may hit a cache that is needed after all, but neither is done again. Where
// `all_is_visible` (nobody has such a cache) nothing that was taken is given back at all. Where all balloons
// also obey, no target changes any more after `kRestAfter`.
class CheckI8 {
 public:
  enum class World : uint8_t { kAny, kAllIsVisible, kAllObey };
  static constexpr Nanos kRestAfter = Seconds(20 * 60);

  explicit CheckI8(World world) : world_(world) {}
  [[nodiscard]] Broken operator()(const policy::World& before, const Outcome& outcome);

 private:
  struct Guest {
    std::optional<int64_t> furthest;  // the balloon's largest or smallest since it last turned
    int64_t lending = 0;              // commanded to be given so that as much can be unplugged
    int64_t lent = 0;                 // of that, what the balloon has given and is still plugged
    int64_t last_actual = 0;
    int direction = 0;                // 1: it fills; -1: it empties; 0: it has moved by too little to say
    Rule rule = Rule::kNone;          // the last that moved the target
    std::deque<MonotonicTime> turns;  // of the last 10 minutes
  };
  [[nodiscard]] Broken Look(Guest& guest, int64_t actual, MonotonicTime now) const;
  [[nodiscard]] Broken Turn(Guest& guest, int64_t back, MonotonicTime now) const;

  World world_;
  bool any_plug_ = false;
  std::optional<MonotonicTime> began_;
  std::vector<Guest> guests_;
};

// A grant counts as given only when the balloon was seen to have moved: until then, and also when its VMM no
// longer answers, it counts against what others may be given. The check keeps its own book of promises.
class CheckI9 {
 public:
  [[nodiscard]] Broken operator()(const World& before, const Outcome& outcome);

 private:
  struct Promise {
    Maybe<BalloonBytes> target;  // as last commanded
    Maybe<BalloonBytes> actual;  // as last seen
    PlugHistory plug;            // its target, where it started, and MemTotal then
  };
  int64_t PluggedPromise(const World& before, const Outcome& outcome, size_t guest, bool seen);
  std::vector<Promise> book_;
};

}  // namespace ballast::policy
