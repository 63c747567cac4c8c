#include "engine/core/webhook_health.h"

#include <gtest/gtest.h>

#include <chrono>

namespace triggerd::core {
namespace {

using base::Now;
using base::WallTime;
using model::WebhookRef;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;

constexpr WebhookRef kRef{1};
constexpr hours kFiveDays{120};

Now at(base::Duration since_start) {
  return {base::MonoTime(hours(1)) + since_start, WallTime(hours(24 * 365 * 50)) + since_start};
}

TEST(WebhookHealth, DisablesAfterFiveDaysOfNothingButFailures) {
  WebhookHealth health(kFiveDays);
  for (int hour = 0; hour < 120; ++hour) {
    ASSERT_NE(health.failed(kRef, WallTime(), at(hours(hour))), HealthVerdict::kDisable);
  }
  EXPECT_EQ(health.failed(kRef, WallTime(), at(kFiveDays - nanoseconds(1))),
            HealthVerdict::kNothing);
  EXPECT_EQ(health.failed(kRef, WallTime(), at(kFiveDays)), HealthVerdict::kDisable);
  EXPECT_EQ(health.since(kRef, at(kFiveDays)), at(hours(0)).wall);
}

TEST(WebhookHealth, NotesTheBeginningOnceAfterAnHour) {
  WebhookHealth health(kFiveDays);
  EXPECT_EQ(health.failed(kRef, WallTime(), at(hours(0))), HealthVerdict::kNothing);
  EXPECT_EQ(health.failed(kRef, WallTime(), at(minutes(59))), HealthVerdict::kNothing);
  EXPECT_EQ(health.failed(kRef, WallTime(), at(minutes(60))), HealthVerdict::kNote);
  EXPECT_EQ(health.since(kRef, at(minutes(60))), at(hours(0)).wall);
  EXPECT_EQ(health.failed(kRef, at(hours(0)).wall, at(hours(3))), HealthVerdict::kNothing);
}

TEST(WebhookHealth, ASuccessBeginsANewRun) {
  WebhookHealth health(kFiveDays);
  EXPECT_EQ(health.failed(kRef, WallTime(), at(hours(0))), HealthVerdict::kNothing);
  health.forget(kRef);
  EXPECT_EQ(health.failing(), 0U);
  EXPECT_EQ(health.failed(kRef, WallTime(), at(kFiveDays)), HealthVerdict::kNothing);
  EXPECT_EQ(health.since(kRef, at(kFiveDays)), at(kFiveDays).wall);
}

TEST(WebhookHealth, GoesOnFromWhatWasStored) {
  WebhookHealth health(kFiveDays);
  const WallTime stored = at(-hours(100)).wall;
  EXPECT_EQ(health.failed(kRef, stored, at(hours(0))), HealthVerdict::kNothing);
  EXPECT_EQ(health.failed(kRef, stored, at(hours(20))), HealthVerdict::kDisable);
}

TEST(WebhookHealth, AGapOfFiveDaysBeginsANewRun) {
  WebhookHealth health(kFiveDays);
  const WallTime stored = at(-hours(2)).wall;
  EXPECT_EQ(health.failed(kRef, stored, at(hours(0))), HealthVerdict::kNothing);
  EXPECT_EQ(health.failed(kRef, stored, at(hours(121))), HealthVerdict::kNote)
      << "what is stored is not true any more";
  EXPECT_EQ(health.since(kRef, at(hours(121))), at(hours(121)).wall);
}

TEST(WebhookHealth, AWallClockThatJumpsDisablesNobody) {
  WebhookHealth health(kFiveDays);
  EXPECT_EQ(health.failed(kRef, WallTime(), at(hours(0))), HealthVerdict::kNothing);
  Now jumped = at(minutes(1));
  jumped.wall += hours(10'000);
  EXPECT_EQ(health.failed(kRef, WallTime(), jumped), HealthVerdict::kNothing);
  WebhookHealth later(kFiveDays);
  EXPECT_EQ(later.failed(kRef, at(hours(5)).wall, at(hours(0))), HealthVerdict::kNothing)
      << "a stored time to come is now";
}

TEST(WebhookHealth, ZeroNeverDisablesAndKeepsNothing) {
  WebhookHealth health(nanoseconds(0));
  EXPECT_EQ(health.failed(kRef, WallTime(), at(hours(0))), HealthVerdict::kNothing);
  EXPECT_EQ(health.failed(kRef, WallTime(), at(hours(10'000))), HealthVerdict::kNothing);
  EXPECT_EQ(health.failing(), 0U);
}

}  // namespace
}  // namespace triggerd::core
