#include "engine/core/key_lines.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <utility>

namespace triggerd::core {
namespace {

using model::WebhookRef;

constexpr WebhookRef kOne{1};
constexpr WebhookRef kTwo{2};

DeliveryRef delivery(std::uint32_t number) {
  return {number, 0};
}

TEST(KeyLines, TheFirstGoesAndEachFollowsTheOneBeforeIt) {
  KeyLines lines(1);
  EXPECT_TRUE(lines.enter(kOne, "a", delivery(1)));
  EXPECT_FALSE(lines.enter(kOne, "a", delivery(2)));
  EXPECT_FALSE(lines.enter(kOne, "a", delivery(3)));
  EXPECT_EQ(lines.leave(kOne, "a", delivery(1)), delivery(2));
  EXPECT_EQ(lines.leave(kOne, "a", delivery(2)), delivery(3));
  EXPECT_EQ(lines.leave(kOne, "a", delivery(3)), std::nullopt);
  EXPECT_EQ(lines.lines(), 0U) << "a line that is empty is forgotten";
}

TEST(KeyLines, KeysAndWebhooksDoNotHoldEachOtherUp) {
  KeyLines lines(1);
  EXPECT_TRUE(lines.enter(kOne, "a", delivery(1)));
  EXPECT_TRUE(lines.enter(kOne, "b", delivery(2)));
  EXPECT_TRUE(lines.enter(kTwo, "a", delivery(1)));
  EXPECT_EQ(lines.lines(), 3U);
}

TEST(KeyLines, OnlyTheHeadMakesRoom) {
  KeyLines lines(1);
  EXPECT_TRUE(lines.enter(kOne, "a", delivery(1)));
  EXPECT_FALSE(lines.enter(kOne, "a", delivery(2)));
  EXPECT_EQ(lines.leave(kOne, "a", delivery(9)), std::nullopt);
  EXPECT_EQ(lines.leave(kTwo, "a", delivery(1)), std::nullopt);
  EXPECT_EQ(lines.leave(kOne, "a", delivery(1)), delivery(2));
}

TEST(KeyLines, ReleaseEmptiesTheLinesOfOneWebhook) {
  KeyLines lines(1);
  EXPECT_TRUE(lines.enter(kOne, "a", delivery(1)));
  EXPECT_FALSE(lines.enter(kOne, "a", delivery(2)));
  EXPECT_FALSE(lines.enter(kOne, "a", delivery(3)));
  EXPECT_TRUE(lines.enter(kTwo, "a", delivery(4)));
  EXPECT_FALSE(lines.enter(kTwo, "a", delivery(5)));
  EXPECT_EQ(lines.release(kOne), delivery(2));
  EXPECT_EQ(lines.release(kOne), delivery(3));
  EXPECT_EQ(lines.release(kOne), std::nullopt);
  EXPECT_EQ(lines.lines(), 1U);
  // The old head is of no line any more, and frees nothing of the one that begins anew.
  EXPECT_TRUE(lines.enter(kOne, "a", delivery(6)));
  EXPECT_FALSE(lines.enter(kOne, "a", delivery(7)));
  EXPECT_EQ(lines.leave(kOne, "a", delivery(1)), std::nullopt);
  EXPECT_EQ(lines.leave(kOne, "a", delivery(6)), delivery(7));
}

TEST(KeyLines, ManyKeysAreForgottenOneByOne) {
  KeyLines lines(1);
  constexpr std::uint32_t keys = 100'000;
  for (std::uint32_t i = 0; i < keys; ++i) {
    ASSERT_TRUE(lines.enter(kOne, "key-" + std::to_string(i), delivery(i)));
  }
  EXPECT_EQ(lines.lines(), keys);
  for (std::uint32_t i = 0; i < keys; ++i) {
    ASSERT_EQ(lines.leave(kOne, "key-" + std::to_string(i), delivery(i)), std::nullopt);
  }
  EXPECT_EQ(lines.lines(), 0U);
}

// A queue for each key is all there is to it.
RC_GTEST_PROP(KeyLines, AgreeWithAQueueForEachKey, ()) {
  KeyLines lines(*rc::gen::arbitrary<std::uint64_t>());
  std::map<std::pair<WebhookRef, std::string>, std::deque<DeliveryRef>> queues;
  std::uint32_t next = 0;
  for (int step = 0; step < 300; ++step) {
    const WebhookRef ref(*rc::gen::inRange(1U, 4U));
    const std::string key(1, *rc::gen::inRange('a', 'f'));
    std::deque<DeliveryRef>& queue = queues[{ref, key}];
    if (*rc::gen::inRange(0, 5) < 3) {
      const DeliveryRef entered = delivery(next++);
      RC_ASSERT(lines.enter(ref, key, entered) == queue.empty());
      queue.push_back(entered);
    } else if (!queue.empty()) {
      const DeliveryRef over = queue.front();
      queue.pop_front();
      const auto expected =
          queue.empty() ? std::nullopt : std::optional<DeliveryRef>(queue.front());
      RC_ASSERT(lines.leave(ref, key, over) == expected);
    }
  }
}

}  // namespace
}  // namespace triggerd::core
