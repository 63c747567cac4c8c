#include "engine/core/circuit_breaker.h"

#include <chrono>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace triggerd::core
