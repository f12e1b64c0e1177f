// What a property is tested on: a world and what becomes of it. Either every look at it is written down
// (scenes), or only the first one, and the guests, their VMMs and the host then react to what is decided
// (natures).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/host-bridge/policy/world.h"

namespace ballast::policy {

// Why a property does not hold; unset when it does.
using Broken = std::optional<std::string>;

// How one guest and its VMM behave while a world reacts. What the guest needs stays the same all the time.
struct Nature {
  int64_t used_bytes = 0;             // without any cache
  int64_t hot_bytes = 0;              // page cache that is read again and again: it counts as available
  int64_t give_bytes_per_second = 0;  // of the balloon; 0: at once
  int64_t take_bytes_per_second = 0;  // the same; 0: at once
  bool deaf = false;                  // the balloon does not move at all
  bool keeps_total = false;           // deflate-on-oom: MemTotal keeps the balloon's pages
  int64_t report_every = 1;           // ticks

  friend bool operator==(const Nature&, const Nature&) = default;
};

// The facts at one look. Only the first scene's histories count; later ones follow from the decisions.
struct Scene {
  MonotonicTime now;
  Snapshot snapshot;
};

struct Story {
  PolicyConfig config;
  std::vector<Scene> scenes;    // at least one, all with the same guests
  std::vector<Nature> natures;  // one a guest; used when there are ticks
  int64_t ticks = 0;            // after the last scene, during which the world reacts
  Nanos span = Seconds(1);      // between those

  // Guests times looks.
  [[nodiscard]] int64_t Steps() const;
};

// Calls `look` with the world before each decision and what was decided, until it finds something broken.
using Look = std::function<Broken(const World& before, const Outcome& outcome)>;
[[nodiscard]] Broken Play(const Story& story, const Look& look);

// The same story begun `looks` later, with what was remembered until then. 0 < looks < scenes + ticks.
[[nodiscard]] Story BeginLater(const Story& story, int64_t looks);

// What the guests of `snapshot` read at first, were they of these natures.
void Settle(Snapshot& snapshot, const std::vector<Nature>& natures);

// The story is one in which nothing but the decisions changes anything: one scene without a past, in which
// all are heard and read as their natures say, and nobody uses more than it has.
[[nodiscard]] bool IsConstant(const Story& story);

}  // namespace ballast::policy
