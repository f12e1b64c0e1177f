#include "tests/host-bridge/policy/property_stories.h"

#include <algorithm>
#include <utility>

#include "tests/host-bridge/policy/invariants_facts.h"

namespace ballast::policy {
namespace {

Scene SceneOf(const World& world) { return {world.now, world.snapshot}; }

int64_t ReserveOfHost(int64_t total) { return std::min(std::max(total / 10, 512 * kMiB), total / 2); }

Nature NatureOf(RandomWorld& random, const GuestFacts& facts) {
  const int64_t base = WholeOf(facts);
  const int64_t size = base - facts.vmm->value.balloon_actual.count;
  Nature nature;
  nature.used_bytes = random.Between(0, size);
  // Where the thresholds are: little is left, of the present size or of the floor's.
  if (random.OneIn(3)) nature.used_bytes = std::max<int64_t>(0, size - random.Between(0, size / 8));
  if (random.OneIn(6)) nature.used_bytes = std::max<int64_t>(0, base / 4 - random.Between(0, base / 16));
  if (random.OneIn(2)) nature.hot_bytes = random.Between(0, base - nature.used_bytes);
  if (random.OneIn(3)) nature.give_bytes_per_second = random.Between(1, 2048) * kMiB;
  if (random.OneIn(3)) nature.take_bytes_per_second = random.Between(1, 1024) * kMiB;
  nature.deaf = random.OneIn(20);
  nature.keeps_total = random.OneIn(3);
  if (random.OneIn(4)) nature.report_every = random.Between(1, 10);
  return nature;
}

}  // namespace

Story MakeAnything(RandomWorld& random) {
  int64_t guests = random.Between(1, 7);
  if (random.OneIn(100)) guests = 0;
  if (random.OneIn(300)) guests = random.Between(100, 200);
  World world = random.Make(guests);
  Story story;
  story.config = world.config;
  const int64_t scenes = random.Between(1, 6);
  for (int64_t i = 0; i < scenes; ++i) {
    if (i > 0) random.Disturb(world);
    story.scenes.push_back(SceneOf(world));
    static_cast<void>(world.Tick());
  }
  return story;
}

Story MakeLiars(RandomWorld& random) {
  World world = random.MakeHonest();
  Story story;
  if (random.OneIn(2)) story.config.idle_after = Seconds(1);
  for (const GuestFacts& facts : world.snapshot.guests) story.natures.push_back(NatureOf(random, facts));
  const int64_t liars = random.Between(1, 4);
  for (int64_t i = 0; i < liars; ++i) {
    world.With(Guest("liar-" + std::to_string(i)).Boot(16 * kGiB).Balloon(12 * kGiB).Weight(10'000));
    story.natures.push_back({.used_bytes = 16 * kGiB, .deaf = random.OneIn(2)});
  }
  const int64_t total = world.snapshot.host->value.total_bytes;
  const int64_t spare = random.Between(0, random.OneIn(2) ? kGiB : 16 * kGiB);
  world.Host(total, std::min(total, ReserveOfHost(total) / 4 * 5 + 2 * kMiB + spare));
  Settle(world.snapshot, story.natures);
  story.scenes.push_back(SceneOf(world));
  story.ticks = random.Between(4, 20);
  story.span = Seconds(random.Between(1, 6));
  return story;
}

Story MakeTwins(RandomWorld& random) {
  Story story = MakeAnything(random);
  if (random.OneIn(2)) story.scenes = {SceneOf(random.MakeHonest())};
  for (Scene& scene : story.scenes) {
    if (scene.snapshot.guests.empty()) continue;
    const GuestFacts first = scene.snapshot.guests.front();
    for (const char* name : {"twin-b", "twin-a", "twin-c"}) {
      scene.snapshot.guests.push_back(first);
      scene.snapshot.guests.back().limits.name = name;
    }
  }
  return story;
}

Story MakeConstant(RandomWorld& random) {
  World world = random.MakeHonest();
  Story story;
  for (GuestFacts& facts : world.snapshot.guests) story.natures.push_back(NatureOf(random, facts));
  const bool all_is_visible = random.OneIn(2);
  for (Nature& nature : story.natures) {
    if (all_is_visible) nature.hot_bytes = 0;
  }
  const int64_t total = world.snapshot.host->value.total_bytes;
  if (random.OneIn(2))
    world.Host(total, std::min(total, ReserveOfHost(total) + random.Between(-kGiB, 2 * kGiB)));
  world.snapshot.host->value.available_bytes =
      std::max<int64_t>(0, world.snapshot.host->value.available_bytes);
  if (random.OneIn(4))
    world.snapshot.reclaim_holds.push_back({.name = "hold", .bytes = random.Between(0, 16 * kGiB)});
  // What a taking for others does to a hot cache is asked of guests that cannot be plugged.
  const bool is_asked_for = !world.snapshot.reclaim_holds.empty() ||
                            world.snapshot.host->value.available_bytes < 2 * ReserveOfHost(total);
  for (size_t i = 0; i < story.natures.size(); ++i) {
    if (is_asked_for && world.snapshot.guests[i].vmm->value.plug) story.natures[i].hot_bytes = 0;
  }
  Settle(world.snapshot, story.natures);
  story.scenes.push_back(SceneOf(world));
  story.ticks = 1200;
  story.span = Milliseconds(random.OneIn(2) ? 1000 : random.Between(100, 5000));
  // An agent that has nothing new to say still speaks every 10 s.
  const int64_t rarest = Seconds(10).count / story.span.count;
  for (Nature& nature : story.natures) nature.report_every = std::min(nature.report_every, rarest);
  return story;
}

}  // namespace ballast::policy
