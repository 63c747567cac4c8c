#include "engine/core/parking.h"

#include <optional>

#include <gtest/gtest.h>

namespace triggerd::core {
namespace {

using base::MonoTime;
using model::EventSeq;
using model::ParkedKey;
using model::ParkedKind;
using model::WallTime;
using model::WebhookRef;
using std::chrono::seconds;

constexpr WebhookRef kOne(1);
constexpr WebhookRef kTwo(2);

ParkedKey fresh(WebhookRef webhook, std::uint64_t seq) {
  return {webhook, ParkedKind::kFresh, WallTime(), EventSeq(seq)};
}
ParkedKey delayed(WebhookRef webhook, std::uint64_t seq, int due) {
  return {webhook, ParkedKind::kDelayed, WallTime(seconds(due)), EventSeq(seq)};
}
WallTime at(int second) {
  return WallTime(seconds(second));
}

void begin_read(Parking& parking, const ParkedKey& from) {
  Parking::Reading reading;
  reading.id = model::ReadId(1);
  reading.lanes.push_back({from, WallTime(), 10});
  parking.began(reading);
}

TEST(Parking, CountsEachKindOfEachWebhook) {
  Parking parking;
  EXPECT_TRUE(parking.is_empty());
  parking.parked(fresh(kOne, 5), at(50));
  parking.parked(fresh(kOne, 6), at(60));
  parking.parked(delayed(kOne, 2, 100), at(20));
  parking.parked(delayed(kTwo, 3, 90), at(30));
  EXPECT_EQ(parking.count(), 4U);
  EXPECT_EQ(parking.count(ParkedKind::kDelayed), 2U);
  EXPECT_EQ(parking.part(kOne, ParkedKind::kFresh)->count, 2U);
  EXPECT_EQ(parking.part(kTwo, ParkedKind::kFresh), nullptr);
  EXPECT_EQ(parking.first(), EventSeq(2));
  EXPECT_EQ(parking.oldest(), at(20));
  EXPECT_EQ(parking.oldest_of(kTwo), at(30));
}

TEST(Parking, ForgetsAWebhookWithItsLastOne) {
  Parking parking;
  parking.parked(fresh(kOne, 5), at(50));
  parking.parked(delayed(kOne, 4, 90), at(40));
  parking.want_at(kOne, MonoTime(seconds(9)));
  parking.unparked(fresh(kOne, 5));
  EXPECT_TRUE(parking.has(kOne));
  parking.unparked(delayed(kOne, 4, 90));
  EXPECT_TRUE(parking.is_empty());
  EXPECT_EQ(parking.next_wake(), std::nullopt);
  EXPECT_EQ(parking.take_wanted(), std::nullopt);
}

TEST(Parking, AWebhookIsWantedOnceAndInTurn) {
  Parking parking;
  parking.parked(fresh(kOne, 5), at(50));
  parking.parked(fresh(kTwo, 6), at(60));
  parking.want(kTwo);
  parking.want(kOne);
  parking.want(kTwo);
  EXPECT_EQ(parking.take_wanted(), kTwo);
  EXPECT_EQ(parking.take_wanted(), kOne);
  EXPECT_EQ(parking.take_wanted(), std::nullopt);
  parking.want(WebhookRef(3));  // it has nothing parked
  EXPECT_EQ(parking.take_wanted(), std::nullopt);
}

TEST(Parking, OneThatWentAndCameAgainIsWantedOnlyIfAskedAnew) {
  Parking parking;
  parking.parked(fresh(kOne, 5), at(50));
  parking.want(kOne);
  parking.unparked(fresh(kOne, 5));
  parking.parked(fresh(kOne, 6), at(60));
  EXPECT_EQ(parking.take_wanted(), std::nullopt);
  parking.want(kOne);
  EXPECT_EQ(parking.take_wanted(), kOne);
}

TEST(Parking, TheEarliestWakeStands) {
  Parking parking;
  parking.parked(delayed(kOne, 5, 90), at(50));
  parking.want_at(kOne, MonoTime(seconds(9)));
  parking.want_at(kOne, MonoTime(seconds(12)));
  EXPECT_EQ(parking.next_wake(), MonoTime(seconds(9)));
  parking.want_at(kOne, MonoTime(seconds(7)));
  EXPECT_EQ(parking.next_wake(), MonoTime(seconds(7)));
  parking.wake(MonoTime(seconds(6)));
  EXPECT_EQ(parking.take_wanted(), std::nullopt);
  parking.wake(MonoTime(seconds(7)));
  EXPECT_EQ(parking.take_wanted(), kOne);
  EXPECT_EQ(parking.next_wake(), std::nullopt);
}

TEST(Parking, AReadMovesOnWhatLiesBelow) {
  Parking parking;
  for (std::uint64_t seq = 1; seq <= 4; ++seq) {
    parking.parked(fresh(kOne, seq), at(static_cast<int>(seq)));
  }
  begin_read(parking, fresh(kOne, 1));
  EXPECT_EQ(parking.ended(false).id, model::ReadId(1));
  parking.unparked(fresh(kOne, 1));
  parking.unparked(fresh(kOne, 2));
  parking.advance(fresh(kOne, 3), at(2));
  parking.advance(EventSeq(3));
  EXPECT_EQ(parking.part(kOne, ParkedKind::kFresh)->from, fresh(kOne, 3));
  EXPECT_EQ(parking.oldest(), at(2));
  EXPECT_EQ(parking.first(), EventSeq(3));
}

TEST(Parking, WhatIsParkedWhileItIsReadIsNotPassedOver) {
  Parking parking;
  parking.parked(delayed(kOne, 7, 100), at(70));
  parking.parked(delayed(kOne, 8, 110), at(80));
  begin_read(parking, delayed(kOne, 7, 100));
  parking.parked(delayed(kOne, 2, 105), at(20));
  static_cast<void>(parking.ended(false));
  parking.unparked(delayed(kOne, 7, 100));
  parking.advance(delayed(kOne, 8, 110), at(70));
  parking.advance(EventSeq(8));
  EXPECT_EQ(parking.part(kOne, ParkedKind::kDelayed)->from, delayed(kOne, 2, 105));
  EXPECT_EQ(parking.first(), EventSeq(2));
}

TEST(Parking, AfterAReadThatFailedItsLanesAreReadOneByOne) {
  Parking parking;
  parking.parked(fresh(kOne, 5), at(50));
  parking.parked(fresh(kTwo, 6), at(60));
  EXPECT_EQ(parking.lanes_per_read(), model::kParkedLanesPerRead);
  Parking::Reading both;
  both.lanes = {{fresh(kOne, 5), WallTime(), 10}, {fresh(kTwo, 6), WallTime(), 10}};
  parking.began(both);
  static_cast<void>(parking.ended(true));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(parking.lanes_per_read(), 1U);
    begin_read(parking, fresh(kOne, 5));
    static_cast<void>(parking.ended(i == 0));
  }
  EXPECT_EQ(parking.lanes_per_read(), model::kParkedLanesPerRead);
}

}  // namespace
}  // namespace triggerd::core
