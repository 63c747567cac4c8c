#include "engine/core/retry_policy.h"

#include <chrono>
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace triggerd::core {
namespace {

using base::Duration;
using base::SeededRandom;
using model::Outcome;
using model::OutcomeClass;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

RetryOptions exact(std::vector<Duration> schedule) {
  RetryOptions options;
  options.schedule = std::move(schedule);
  options.jitter = 0;
  return options;
}

Outcome http(int status, Duration retry_after = Duration(-1)) {
  Outcome outcome;
  outcome.kind = status / 100 == 2 ? OutcomeClass::kOk : OutcomeClass::kHttpError;
  outcome.http_status = static_cast<std::uint16_t>(status);
  outcome.retry_after = retry_after;
  return outcome;
}

Outcome failed(OutcomeClass kind) {
  Outcome outcome;
  outcome.kind = kind;
  return outcome;
}

RetryDecision decide(std::uint32_t attempt, const Outcome& outcome, const RetryOptions& options) {
  SeededRandom random(1);
  return decide_retry(attempt, outcome, options.schedule, options.jitter, random);
}

TEST(RetryPolicy, HasTheDefaultScheduleOfTheContract) {
  EXPECT_THAT(default_retry_schedule(),
              testing::ElementsAre(seconds(5), minutes(5), minutes(30), hours(2), hours(5),
                                   hours(10), hours(14), hours(20), hours(24)));
}

TEST(RetryPolicy, TakesEvery2xxForSuccess) {
  for (const int status : {200, 201, 202, 204, 226, 299}) {
    EXPECT_EQ(decide(1, http(status), exact({seconds(5)})).verdict, RetryVerdict::kDelivered);
    EXPECT_EQ(decide(9, http(status), exact({})).verdict, RetryVerdict::kDelivered);
  }
}

TEST(RetryPolicy, RetriesEveryOtherStatusRedirectsToo) {
  for (const int status :
       {300, 301, 302, 307, 308, 400, 401, 404, 408, 413, 429, 500, 501, 502, 503, 504, 599}) {
    EXPECT_EQ(decide(1, http(status), exact({seconds(5)})),
              (RetryDecision{RetryVerdict::kRetry, seconds(5)}))
        << status;
  }
}

TEST(RetryPolicy, RetriesWhateverWentWrongBeforeAStatus) {
  for (const OutcomeClass kind :
       {OutcomeClass::kTimeout, OutcomeClass::kConnect, OutcomeClass::kDns, OutcomeClass::kTls,
        OutcomeClass::kBlocked, OutcomeClass::kProtocol}) {
    EXPECT_EQ(decide(1, failed(kind), exact({seconds(5)})).verdict, RetryVerdict::kRetry);
    EXPECT_EQ(decide(2, failed(kind), exact({seconds(5)})).verdict, RetryVerdict::kDead);
  }
}

TEST(RetryPolicy, FollowsTheScheduleAndThenGivesUp) {
  const RetryOptions options = exact(default_retry_schedule());
  for (std::uint32_t attempt = 1; attempt <= 9; ++attempt) {
    EXPECT_EQ(decide(attempt, http(500), options),
              (RetryDecision{RetryVerdict::kRetry, default_retry_schedule()[attempt - 1]}));
  }
  EXPECT_EQ(decide(10, http(500), options), (RetryDecision{RetryVerdict::kDead, Duration(0)}));
  EXPECT_EQ(decide(11, http(500), options).verdict, RetryVerdict::kDead);
}

TEST(RetryPolicy, GivesUpAtOnceWithoutASchedule) {
  EXPECT_EQ(decide(1, http(500), exact({})).verdict, RetryVerdict::kDead);
}

TEST(RetryPolicy, EndsWithA410WhateverIsLeft) {
  EXPECT_EQ(decide(1, http(410), exact({seconds(5)})),
            (RetryDecision{RetryVerdict::kGone, Duration(0)}));
  EXPECT_EQ(decide(2, http(410, seconds(1)), exact({seconds(5)})).verdict, RetryVerdict::kGone);
}

TEST(RetryPolicy, ObeysRetryAfterOf429And503InsteadOfTheSchedule) {
  for (const int status : {429, 503}) {
    EXPECT_EQ(decide(1, http(status, seconds(120)), exact({seconds(5)})).delay, seconds(120));
    EXPECT_EQ(decide(1, http(status, seconds(1)), exact({minutes(5)})).delay, seconds(1));
    EXPECT_EQ(decide(1, http(status, seconds(0)), exact({minutes(5)})).delay, seconds(0));
  }
  EXPECT_EQ(decide(1, http(500, seconds(120)), exact({seconds(5)})).delay, seconds(5));
}

TEST(RetryPolicy, CapsRetryAfterAtADay) {
  EXPECT_EQ(decide(1, http(503, hours(24)), exact({seconds(5)})).delay, hours(24));
  EXPECT_EQ(decide(1, http(503, hours(24) + Duration(1)), exact({seconds(5)})).delay, hours(24));
}

TEST(RetryPolicy, DoesNotSpreadRetryAfter) {
  RetryOptions options = exact({seconds(5)});
  options.jitter = 0.5;
  EXPECT_EQ(decide(1, http(429, seconds(60)), options).delay, seconds(60));
}

TEST(RetryPolicy, DoesNotAddAttemptsForRetryAfter) {
  EXPECT_EQ(decide(2, http(503, seconds(1)), exact({seconds(5)})).verdict, RetryVerdict::kDead);
}

TEST(RetryPolicy, DoesNotCountWhatNeverReachedTheReceiver) {
  const RetryOptions options = exact({});
  EXPECT_EQ(decide(1, failed(OutcomeClass::kBusy), options),
            (RetryDecision{RetryVerdict::kAgain, kBusyDelay}));
  EXPECT_EQ(decide(1, failed(OutcomeClass::kCancelled), options),
            (RetryDecision{RetryVerdict::kAgain, Duration(0)}));
}

TEST(RetryPolicy, SpreadsDelaysOverTheWholeJitter) {
  SeededRandom random(7);
  RetryOptions options = exact({seconds(100)});
  options.jitter = 0.2;
  Duration least = hours(1);
  Duration most{0};
  Duration sum{0};
  constexpr int draws = 10'000;
  for (int i = 0; i < draws; ++i) {
    const Duration delay =
        decide_retry(1, http(500), options.schedule, options.jitter, random).delay;
    ASSERT_GE(delay, seconds(80));
    ASSERT_LE(delay, seconds(120));
    least = std::min(least, delay);
    most = std::max(most, delay);
    sum += delay;
  }
  EXPECT_LT(least, milliseconds(80'500));
  EXPECT_GT(most, milliseconds(119'500));
  EXPECT_GT(sum / draws, milliseconds(99'500));
  EXPECT_LT(sum / draws, milliseconds(100'500));
}

RC_GTEST_PROP(RetryPolicy, NeverGoesOutsideItsBounds, (std::uint64_t seed, std::uint16_t status)) {
  SeededRandom random(seed);
  RetryOptions options;
  options.schedule = {Duration(*rc::gen::inRange<std::int64_t>(0, Duration(hours(72)).count()))};
  options.jitter = *rc::gen::inRange(0, 101) / 100.0;
  Outcome outcome = http(status);
  outcome.retry_after = Duration(*rc::gen::arbitrary<std::int64_t>());
  const RetryDecision decision = decide_retry(1, outcome, options.schedule, options.jitter, random);
  RC_ASSERT(decision.delay >= Duration(0));
  RC_ASSERT(decision.delay <= 2 * hours(72));
}

TEST(RetryPolicyDeathTest, AbortsOnAnAttemptWithoutANumber) {
  EXPECT_DEATH(static_cast<void>(decide(0, http(500), exact({}))), "attempt >= 1");
}

}  // namespace
}  // namespace triggerd::core
