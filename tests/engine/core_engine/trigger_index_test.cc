#include "engine/core/trigger_index.h"

#include <map>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace triggerd::core {
namespace {

using model::Generation;
using model::Match;
using model::TriggerType;
using model::WebhookRef;

TriggerKey key(std::uint32_t org, std::uint32_t name, TriggerType type = TriggerType::kEvent) {
  return TriggerKey{org, name, type};
}

std::vector<Match> matches(const TriggerIndex& index, const TriggerKey& wanted) {
  const auto found = index.match(wanted);
  return {found.begin(), found.end()};
}

Match match(std::uint32_t webhook, std::uint32_t generation) {
  return Match{WebhookRef(webhook), Generation(generation)};
}

TEST(TriggerIndex, FindsNothingInAnEmptyOne) {
  const TriggerIndex index(1);
  EXPECT_TRUE(index.match(key(0, 0)).empty());
}

TEST(TriggerIndex, KeepsOrganizationsTypesAndNamesApart) {
  TriggerIndex index(1);
  index.add(key(1, 2), match(10, 1));
  EXPECT_EQ(matches(index, key(1, 2)), (std::vector<Match>{match(10, 1)}));
  EXPECT_TRUE(index.match(key(1, 2, TriggerType::kSyncHook)).empty());
  EXPECT_TRUE(index.match(key(2, 2)).empty());
  EXPECT_TRUE(index.match(key(1, 3)).empty());
  EXPECT_TRUE(index.match(key(2, 1)).empty());
}

TEST(TriggerIndex, GivesWebhooksInOrderOfRegistrationThroughAllBlockSizes) {
  TriggerIndex index(1);
  std::vector<Match> expected;
  for (std::uint32_t i = 1; i <= 300; ++i) {
    expected.push_back(match(1000 - i, i));
    index.add(key(1, 1), expected.back());
    ASSERT_EQ(matches(index, key(1, 1)), expected);
  }
  while (!expected.empty()) {
    const std::size_t at = expected.size() / 2;
    index.remove(key(1, 1), expected[at].generation);
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(at));
    ASSERT_EQ(matches(index, key(1, 1)), expected);
  }
  EXPECT_EQ(index.keys(), 0U);
}

TEST(TriggerIndex, UsesFreedMemoryAgain) {
  TriggerIndex index(1);
  const auto fill_and_empty = [&index](std::uint32_t first_generation) {
    for (std::uint32_t i = 0; i < 5000; ++i)
      index.add(key(i % 7, i % 500), match(i, first_generation + i));
    const std::size_t bytes = index.bytes();
    for (std::uint32_t i = 0; i < 5000; ++i)
      index.remove(key(i % 7, i % 500), Generation(first_generation + i));
    return bytes;
  };
  const std::size_t first = fill_and_empty(1);
  EXPECT_EQ(index.triggers(), 0U);
  EXPECT_EQ(fill_and_empty(5001), first);
}

RC_GTEST_PROP(TriggerIndexProperty, AgreesWithAMap, ()) {
  TriggerIndex index(*rc::gen::arbitrary<std::uint64_t>());
  std::map<std::tuple<std::uint32_t, std::uint32_t, TriggerType>, std::vector<Match>> expected;
  std::uint32_t generation = 0;
  const int steps = *rc::gen::inRange(1, 600);
  for (int step = 0; step < steps; ++step) {
    const TriggerKey chosen =
        key(*rc::gen::inRange<std::uint32_t>(0, 5), *rc::gen::inRange<std::uint32_t>(0, 8),
            *rc::gen::element(TriggerType::kEvent, TriggerType::kSyncHook));
    std::vector<Match>& list = expected[{chosen.org, chosen.name, chosen.type}];
    if (list.empty() || *rc::gen::inRange(0, 100) < 55) {
      list.push_back(match(*rc::gen::arbitrary<std::uint32_t>(), ++generation));
      index.add(chosen, list.back());
    } else {
      const auto at = *rc::gen::inRange<std::size_t>(0, list.size());
      index.remove(chosen, list[at].generation);
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
    }
    RC_ASSERT(matches(index, chosen) == list);
  }
  std::size_t triggers = 0;
  for (const auto& [parts, list] : expected) {
    RC_ASSERT(matches(index, key(std::get<0>(parts), std::get<1>(parts), std::get<2>(parts))) ==
              list);
    triggers += list.size();
  }
  RC_ASSERT(index.triggers() == triggers);
}

}  // namespace
}  // namespace triggerd::core
