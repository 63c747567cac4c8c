#include "engine/core/fair_turns.h"

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace triggerd::core {
namespace {

std::string take_all(FairTurns& turns, TurnRing& ring) {
  std::string order;
  while (!ring.empty()) order += std::to_string(turns.take(ring));
  return order;
}

TEST(FairTurnsTest, GroupsTakeTurnsAndSoDoTheMembersOfEach) {
  FairTurns turns;
  TurnRing ring;
  for (std::uint32_t member = 1; member <= 4; ++member) turns.join(ring, 0, member);
  turns.join(ring, 1, 5);
  turns.join(ring, 2, 6);
  turns.join(ring, 2, 7);
  EXPECT_EQ(take_all(turns, ring), "1562734");
}

TEST(FairTurnsTest, AGroupThatComesBackStandsBehindTheOthers) {
  FairTurns turns;
  TurnRing ring;
  turns.join(ring, 0, 1);
  turns.join(ring, 1, 2);
  EXPECT_EQ(turns.take(ring), 1U);
  turns.join(ring, 0, 1);
  EXPECT_EQ(take_all(turns, ring), "21");
}

TEST(FairTurnsTest, WhoLeavesFromTheMiddleIsGone) {
  FairTurns turns;
  TurnRing ring;
  for (std::uint32_t member = 1; member <= 3; ++member) turns.join(ring, 0, member);
  turns.join(ring, 1, 4);
  EXPECT_TRUE(turns.waits(2));
  turns.leave(ring, 0, 2);
  EXPECT_FALSE(turns.waits(2));
  turns.leave(ring, 1, 4);
  EXPECT_EQ(take_all(turns, ring), "13");
}

// Against rows of rows, as one would write it down.
RC_GTEST_PROP(FairTurnsProperty, AgreesWithPlainQueues, ()) {
  FairTurns turns;
  TurnRing ring;
  std::deque<std::uint32_t> groups;
  std::map<std::uint32_t, std::deque<std::uint32_t>> members;
  for (int step = *rc::gen::inRange(0, 200); step > 0; --step) {
    const auto member = *rc::gen::inRange<std::uint32_t>(0, 12);
    const std::uint32_t group = member % 4;
    if (turns.waits(member) && *rc::gen::inRange(0, 2) == 0) {
      turns.leave(ring, group, member);
      std::erase(members[group], member);
      if (members[group].empty()) std::erase(groups, group);
    } else if (!turns.waits(member)) {
      turns.join(ring, group, member);
      if (members[group].empty()) groups.push_back(group);
      members[group].push_back(member);
    } else {
      const std::uint32_t first = groups.front();
      groups.pop_front();
      RC_ASSERT(turns.take(ring) == members[first].front());
      members[first].pop_front();
      if (!members[first].empty()) groups.push_back(first);
    }
    RC_ASSERT(ring.empty() == groups.empty());
  }
}

}  // namespace
}  // namespace triggerd::core
