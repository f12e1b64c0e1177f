// The shrinker itself, with complaints whose smallest story is known, and the text that stories are written
// as.
#include "tests/host-bridge/policy/shrink.h"

#include <gtest/gtest.h>

#include "tests/host-bridge/policy/property_stories.h"
#include "tests/host-bridge/policy/property_text.h"

namespace ballast::policy {
namespace {

Story Large(uint64_t seed) {
  RandomWorld random(seed);
  Story story = MakeAnything(random);
  while (story.scenes.size() < 3 || story.scenes.front().snapshot.guests.size() < 3)
    story = MakeAnything(random);
  return story;
}

// Somebody in the story has a balloon of at least 100 MiB.
bool HasBalloon(const Story& story) {
  for (const Scene& scene : story.scenes) {
    for (const GuestFacts& facts : scene.snapshot.guests) {
      if (facts.vmm && facts.vmm->value.balloon_actual.count >= 100 * kMiB) return true;
    }
  }
  return false;
}

TEST(Shrink, LeavesWhatTheComplaintNeedsAndNothingElse) {
  int shrunk = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Story story = Large(seed);
    if (!HasBalloon(story)) continue;
    ++shrunk;
    const Story small = Shrink(story, HasBalloon);
    EXPECT_TRUE(HasBalloon(small));
    EXPECT_EQ(FormatStory(small),
              "scenes = 1\nnatures = 0\nscene0.holds = 0\nscene0.guests = 1\nscene0.guest0.vmm = 1\n"
              "scene0.guest0.vmm.actual = 1GiB\n")
        << seed;
  }
  EXPECT_GT(shrunk, 10);
}

TEST(Shrink, ShortensAPlayedStoryFromBothEnds) {
  RandomWorld random(7);
  const Story story = MakeConstant(random);
  // Broken in the looks between two instants, wherever the story begins and ends.
  const MonotonicTime first = story.scenes.front().now + story.span * 700;
  const auto passes = [&](const Story& candidate) {
    const MonotonicTime begin = candidate.scenes.front().now;
    return begin <= first && begin + candidate.span * candidate.ticks >= first + Seconds(1);
  };
  ASSERT_TRUE(passes(story));
  const Story small = Shrink(story, passes);
  EXPECT_TRUE(passes(small));
  EXPECT_LE(small.ticks, 100);
  EXPECT_EQ(small.scenes.front().snapshot.guests.size(), 1U);
}

TEST(Shrink, GivesUpWhenTriedEnough) {
  int calls = 0;
  const Story story = Large(3);
  const Story same = Shrink(
      story,
      [&](const Story&) {
        ++calls;
        return false;
      },
      /*most_tries=*/10);
  EXPECT_EQ(calls, 10);
  EXPECT_EQ(FormatStory(same), FormatStory(story));
}

TEST(StoryText, IsReadAsItWasWritten) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    RandomWorld random(seed);
    const Story story = seed % 3 == 0   ? MakeAnything(random)
                        : seed % 3 == 1 ? MakeConstant(random)
                                        : MakeTwins(random);
    PropertyFile file;
    ASSERT_EQ(ParsePropertyFile("invariant = I4\n" + FormatStory(story), file), std::nullopt) << seed;
    EXPECT_EQ(file.invariant, "I4");
    EXPECT_EQ(file.story.natures, story.natures);
    ASSERT_EQ(file.story.scenes.size(), story.scenes.size());
    for (size_t i = 0; i < story.scenes.size(); ++i) {
      EXPECT_EQ(file.story.scenes[i].now, story.scenes[i].now);
      Snapshot expected = story.scenes[i].snapshot;
      // Later scenes' histories follow from the decisions.
      if (i > 0) expected.host_history = {};
      for (GuestFacts& facts : expected.guests) {
        if (i > 0) facts.history = {};
      }
      EXPECT_EQ(file.story.scenes[i].snapshot, expected) << seed << " scene " << i;
    }
  }
}

TEST(StoryText, SaysWhatIsWrong) {
  PropertyFile file;
  const auto fault = [&](const char* text) { return ParsePropertyFile(text, file).value_or(""); };
  EXPECT_EQ(fault("scenes"), "no '=' in: scenes");
  EXPECT_EQ(fault("scenes = 1\nscenes = 2"), "twice: scenes");
  EXPECT_EQ(fault("scenes = one"), "no number: scenes = one");
  EXPECT_EQ(fault("scenes = 100000000"), "no number: scenes = 100000000");
  EXPECT_EQ(fault("scenes = 1\nscene0.colour = 3"), "unknown key: scene0.colour");
  EXPECT_EQ(fault("scenes = 0"), "no scene");
  EXPECT_EQ(fault("scenes = 1\nscene0.guests = 1\nnatures = 2"), "not one nature a guest");
}

}  // namespace
}  // namespace ballast::policy
