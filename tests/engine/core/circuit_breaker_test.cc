#include "engine/core/circuit_breaker.h"

#include <chrono>

#include <gtest/gtest.h>

#include "engine/base/random.h"

namespace triggerd::core {
namespace {

using std::chrono::seconds;
using State = CircuitBreaker::State;

class CircuitBreakerTest : public testing::Test {
 protected:
  base::MonoTime at(int second) const { return base::MonoTime(seconds(1000 + second)); }
  bool try_begin(int second) { return breaker_.try_begin(at(second)); }
  void fail(int second) {
    ASSERT_TRUE(try_begin(second));
    breaker_.failed(options_, at(second));
  }
  void open_at(int second) {
    for (int i = 0; i < 3; ++i) fail(second);
    ASSERT_EQ(breaker_.state(), State::kOpen);
  }

  CircuitBreakerOptions options_{3, seconds(10)};
  CircuitBreaker breaker_;
};

TEST_F(CircuitBreakerTest, OpensAfterSoManyFailuresInARowAndNotBefore) {
  fail(0);
  fail(0);
  EXPECT_EQ(breaker_.state(), State::kClosed);
  EXPECT_EQ(breaker_.probe_at(), std::nullopt);
  fail(5);
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_EQ(breaker_.probe_at(), at(15));
  EXPECT_FALSE(try_begin(5));
  EXPECT_FALSE(try_begin(14));
}

TEST_F(CircuitBreakerTest, ASuccessEndsTheRow) {
  fail(0);
  fail(0);
  breaker_.succeeded();
  fail(0);
  fail(0);
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, WhatTellsNothingDoesNotEndTheRow) {
  fail(0);
  fail(0);
  ASSERT_TRUE(try_begin(0));
  breaker_.abandoned();
  fail(0);
  EXPECT_EQ(breaker_.state(), State::kOpen);
}

TEST_F(CircuitBreakerTest, LetsOneProbeThroughAndClosesWhenItSucceeds) {
  open_at(0);
  EXPECT_TRUE(try_begin(10));
  EXPECT_EQ(breaker_.state(), State::kHalfOpen);
  EXPECT_FALSE(try_begin(10));
  EXPECT_FALSE(try_begin(100));
  breaker_.succeeded();
  EXPECT_EQ(breaker_.state(), State::kClosed);
  fail(10);
  fail(10);
  EXPECT_EQ(breaker_.state(), State::kClosed) << "the row begins anew";
}

TEST_F(CircuitBreakerTest, AProbeThatFailsOpensItForAsLongAgain) {
  open_at(0);
  fail(12);
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_FALSE(try_begin(21));
  EXPECT_TRUE(try_begin(22));
}

TEST_F(CircuitBreakerTest, AProbeThatIsAbandonedMakesRoomForAnother) {
  open_at(0);
  ASSERT_TRUE(try_begin(10));
  breaker_.abandoned();
  EXPECT_TRUE(try_begin(10));
}

TEST_F(CircuitBreakerTest, CallsBegunBeforeItOpenedMayStillEnd) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(try_begin(0));
  for (int i = 0; i < 3; ++i) breaker_.failed(options_, at(1));
  breaker_.failed(options_, at(9));
  EXPECT_EQ(breaker_.probe_at(), at(11)) << "a late failure does not prolong it";
  breaker_.succeeded();
  EXPECT_EQ(breaker_.state(), State::kClosed);
}

TEST_F(CircuitBreakerTest, EachProbeThatFailsDoublesTheTimeUpToTheLimit) {
  options_.open_for_max = seconds(25);
  open_at(0);
  fail(10);
  EXPECT_EQ(breaker_.probe_at(), at(30));
  fail(30);
  EXPECT_EQ(breaker_.probe_at(), at(55));
  for (int second = 55; second < 55 + 25 * 60; second += 25) fail(second);
  EXPECT_EQ(breaker_.probe_at(), at(55 + 25 * 60));
  ASSERT_TRUE(try_begin(55 + 25 * 60));
  breaker_.succeeded();
  open_at(2000);
  EXPECT_EQ(breaker_.probe_at(), at(2010)) << "a success forgets it";
}

TEST_F(CircuitBreakerTest, TheTimeIsSpread) {
  options_.jitter = 0.5;
  base::SeededRandom random(1);
  bool early = false;
  bool late = false;
  for (int i = 0; i < 50; ++i) {
    CircuitBreaker breaker;
    for (int failure = 0; failure < 3; ++failure) breaker.failed(options_, at(0), &random);
    EXPECT_GE(breaker.probe_at(), at(5));
    EXPECT_LT(breaker.probe_at(), at(15));
    early = early || breaker.probe_at() < at(9);
    late = late || breaker.probe_at() > at(11);
  }
  EXPECT_TRUE(early && late);
}

TEST_F(CircuitBreakerTest, HoldOpensAtOnceAndNeverShortens) {
  breaker_.hold(at(7));
  EXPECT_EQ(breaker_.probe_at(), at(7));
  EXPECT_FALSE(try_begin(6));
  fail(7);
  EXPECT_EQ(breaker_.probe_at(), at(17));
  breaker_.hold(at(9));
  EXPECT_EQ(breaker_.probe_at(), at(17));
  breaker_.hold(at(40));
  EXPECT_EQ(breaker_.probe_at(), at(40));
}

TEST(BreakerCounts, FollowEachChange) {
  BreakerCounts counts;
  counts.moved(State::kClosed, State::kClosed);
  counts.moved(State::kClosed, State::kOpen);
  counts.moved(State::kClosed, State::kOpen);
  counts.moved(State::kOpen, State::kHalfOpen);
  EXPECT_EQ(counts.open, 1U);
  EXPECT_EQ(counts.half_open, 1U);
  counts.moved(State::kHalfOpen, State::kOpen);
  counts.moved(State::kOpen, State::kClosed);
  EXPECT_EQ(counts.open, 1U);
  EXPECT_EQ(counts.half_open, 0U);
  EXPECT_EQ(counts.to_open, 3U);
  EXPECT_EQ(counts.to_half_open, 1U);
  EXPECT_EQ(counts.to_closed, 1U);
}

}  // namespace
}  // namespace triggerd::core
