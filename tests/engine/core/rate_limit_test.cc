#include "engine/core/rate_limit.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "engine/model/limits.h"

namespace triggerd::core {
namespace {

using base::Duration;
using base::MonoTime;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Ten a minute, fifty at once: the limit of CONTRACT B3.4 on test events.
const RateLimit kTestEvents = RateLimit::of(10, minutes(1), 50);

MonoTime at(Duration since_start) {
  return MonoTime(std::chrono::hours(1)) + since_start;
}

TEST(RateBucket, AFullBucketGivesItsBurstAndThenOneTokenAnInterval) {
  RateBucket bucket;
  EXPECT_EQ(bucket.take(50, kTestEvents, at(seconds(0))), std::nullopt);
  EXPECT_EQ(bucket.take(1, kTestEvents, at(seconds(0))), seconds(6));
  EXPECT_EQ(bucket.take(1, kTestEvents, at(seconds(5))), seconds(1));
  EXPECT_EQ(bucket.take(1, kTestEvents, at(seconds(6))), std::nullopt);
  EXPECT_EQ(bucket.take(1, kTestEvents, at(seconds(6))), seconds(6));
}

TEST(RateBucket, TakesAllTokensOrNone) {
  RateBucket bucket;
  EXPECT_EQ(bucket.take(45, kTestEvents, at(seconds(0))), std::nullopt);
  EXPECT_EQ(bucket.take(6, kTestEvents, at(seconds(0))), seconds(6));
  EXPECT_EQ(bucket.take(5, kTestEvents, at(seconds(0))), std::nullopt);
}

TEST(RateBucket, MoreThanTheBurstNeverFits) {
  RateBucket bucket;
  EXPECT_EQ(bucket.take(51, kTestEvents, at(seconds(0))), Duration::max());
  EXPECT_EQ(bucket.take(50, kTestEvents, at(seconds(0))), std::nullopt) << "nothing was taken";
}

TEST(RateBucket, AnIdleBucketHoldsNoMoreThanItsBurst) {
  RateBucket bucket;
  EXPECT_EQ(bucket.take(1, kTestEvents, at(seconds(0))), std::nullopt);
  EXPECT_EQ(bucket.take(50, kTestEvents, at(std::chrono::hours(1000))), std::nullopt);
  EXPECT_EQ(bucket.take(1, kTestEvents, at(std::chrono::hours(1000))), seconds(6));
}

TEST(RateBucket, TokensPutBackAreThereAgain) {
  RateBucket bucket;
  EXPECT_EQ(bucket.take(50, kTestEvents, at(seconds(0))), std::nullopt);
  bucket.put_back(2, kTestEvents);
  EXPECT_EQ(bucket.take(2, kTestEvents, at(seconds(0))), std::nullopt);
  EXPECT_NE(bucket.take(1, kTestEvents, at(seconds(0))), std::nullopt);
}

TEST(RateBucket, NextTokenSaysWhenOneIsThere) {
  RateBucket bucket;
  EXPECT_LE(bucket.next_token(kTestEvents), at(seconds(0)));
  EXPECT_EQ(bucket.take(50, kTestEvents, at(seconds(0))), std::nullopt);
  EXPECT_EQ(bucket.next_token(kTestEvents), at(seconds(6)));
}

TEST(RateBucket, RatesOfWebhooksAreCountedInThousandths) {
  EXPECT_EQ(rate_limit_of({100, 3}), (RateLimit{seconds(10), 3}));
  EXPECT_EQ(rate_limit_of({2'000, 1}), (RateLimit{milliseconds(500), 1}));
  EXPECT_EQ(rate_limit_of({model::kDeliveryRateThousandthsMin, 1}), (RateLimit{seconds(1000), 1}));
  EXPECT_GT(rate_limit_of({model::kDeliveryRateThousandthsMax, 1}).interval, Duration(0));
}

// In no window are there more takes than the burst and what grew meanwhile; and a wait that was
// named is enough.
RC_GTEST_PROP(RateBucket, NeverPassesItsRate, ()) {
  const RateLimit limit{milliseconds(*rc::gen::inRange(1, 1000)), *rc::gen::inRange(1U, 20U)};
  RateBucket bucket;
  Duration now{0};
  std::vector<Duration> taken;
  for (int step = 0; step < 100; ++step) {
    const auto tokens = *rc::gen::inRange(1U, 22U);
    const auto wait = bucket.take(tokens, limit, at(now));
    if (!wait) {
      taken.insert(taken.end(), tokens, now);
    } else if (tokens <= limit.burst) {
      RC_ASSERT(*wait > Duration(0));
      RateBucket copy = bucket;
      RC_ASSERT(copy.take(tokens, limit, at(now + *wait - Duration(1))).has_value());
      RC_ASSERT(!copy.take(tokens, limit, at(now + *wait)));
    }
    now += milliseconds(*rc::gen::inRange(0, 500));
  }
  for (std::size_t first = 0; first < taken.size(); ++first) {
    for (std::size_t last = first; last < taken.size(); ++last) {
      const auto grown = (taken[last] - taken[first]) / limit.interval;
      RC_ASSERT(static_cast<std::int64_t>(last - first + 1) <= grown + limit.burst);
    }
  }
}

// --- Many buckets -----------------------------------------------------------------------------

struct IntHash {
  std::uint64_t operator()(int key) const { return static_cast<std::uint64_t>(key); }
};
using Table = RateTable<int, IntHash>;
const RateLimit kTwo{seconds(1), 2};

TEST(RateTable, EveryKeyHasItsOwnBucket) {
  Table table(kTwo, 10, 1);
  EXPECT_EQ(table.take(1, 2, at(seconds(0))), std::nullopt);
  EXPECT_EQ(table.take(1, 1, at(seconds(0))), seconds(1));
  EXPECT_EQ(table.take(2, 2, at(seconds(0))), std::nullopt);
}

TEST(RateTable, ForgetsBucketsThatAreFullAgain) {
  Table table(kTwo, 100, 1);
  for (int key = 0; key < 100; ++key) {
    EXPECT_EQ(table.take(key, 1, at(seconds(0))), std::nullopt);
  }
  EXPECT_EQ(table.size(), 100U);
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(table.take(1000, 1, at(seconds(1 + i))), std::nullopt);
  }
  EXPECT_EQ(table.size(), 1U);
}

TEST(RateTable, AtItsLimitForgetsTheBucketNearestToFull) {
  Table table(kTwo, 3, 1);
  EXPECT_EQ(table.take(1, 2, at(seconds(0))), std::nullopt);
  EXPECT_EQ(table.take(2, 1, at(seconds(0))), std::nullopt);  // the fullest
  EXPECT_EQ(table.take(3, 2, at(seconds(0))), std::nullopt);
  EXPECT_EQ(table.take(4, 2, at(seconds(0))), std::nullopt);
  EXPECT_EQ(table.size(), 3U);
  EXPECT_NE(table.take(1, 1, at(seconds(0))), std::nullopt) << "still remembered";
  EXPECT_NE(table.take(3, 1, at(seconds(0))), std::nullopt) << "still remembered";
}

TEST(RateTable, NeverHoldsMoreThanItsLimit) {
  Table table(kTwo, 16, 1);
  for (int key = 0; key < 10'000; ++key) {
    EXPECT_EQ(table.take(key, 2, at(milliseconds(key / 100))), std::nullopt);
    ASSERT_LE(table.size(), 16U);
  }
}

TEST(RateTable, AnotherRateHoldsForThoseWhoHaveAsked) {
  Table table(RateLimit{std::chrono::hours(1), 2}, 10, 1);
  EXPECT_EQ(table.take(1, 2, at(seconds(0))), std::nullopt);
  EXPECT_NE(table.take(1, 1, at(seconds(2))), std::nullopt);
  table.use(RateLimit{seconds(1), 3}, at(seconds(2)));
  EXPECT_NE(table.take(1, 1, at(seconds(2))), std::nullopt) << "it was empty";
  EXPECT_EQ(table.take(1, 1, at(seconds(3))), std::nullopt);
  EXPECT_EQ(table.take(2, 3, at(seconds(3))), std::nullopt);
  EXPECT_EQ(table.limit(), (RateLimit{seconds(1), 3}));
}

}  // namespace
}  // namespace triggerd::core
