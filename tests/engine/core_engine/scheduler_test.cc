#include "engine/core/scheduler.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace triggerd::core {
namespace {

using base::HeapPosition;
using base::MonoTime;
using model::WebhookRef;

class Positions final : public DelayObserver {
 public:
  void delayed_at(DeliveryRef delivery, HeapPosition position) override {
    positions[delivery.match] = position;
  }
  std::map<std::uint32_t, HeapPosition> positions;
};

MonoTime at(std::int64_t seconds) {
  return MonoTime(std::chrono::seconds(seconds));
}

class SchedulerTest : public ::testing::Test {
 protected:
  // The next start as "lane:delivery", or "" when there is none; its slots are held.
  std::string next() {
    const auto grant = scheduler_.next(MonoTime());
    if (!grant) return "";
    grants_.push_back(*grant);
    return std::to_string(grant->lane.value()) + ":" + std::to_string(grant->delivery.match);
  }
  void push(std::uint32_t lane, std::uint32_t delivery) {
    scheduler_.push_back(WebhookRef(lane), DeliveryRef{0, delivery});
  }
  void release(std::size_t index) { scheduler_.release(grants_[index]); }

  Positions positions_;
  Scheduler scheduler_{SchedulerLimits{2, 3, 4}, positions_, 1};
  std::vector<Grant> grants_;
};

TEST_F(SchedulerTest, ServesLanesInTurn) {
  scheduler_.open_lane(WebhookRef(1), "a");
  scheduler_.open_lane(WebhookRef(2), "b");
  for (std::uint32_t i = 1; i <= 3; ++i) push(1, i);
  push(2, 9);
  EXPECT_EQ(next(), "1:1");
  EXPECT_EQ(next(), "2:9");
  EXPECT_EQ(next(), "1:2");
  EXPECT_EQ(next(), "");  // the lane's own limit
  release(0);
  EXPECT_EQ(next(), "1:3");
}

TEST_F(SchedulerTest, GivesAFreeSlotOfAHostToTheLaneThatWaitsLongest) {
  for (std::uint32_t lane = 1; lane <= 4; ++lane) {
    scheduler_.open_lane(WebhookRef(lane), "shared");
    push(lane, lane * 10);
    push(lane, lane * 10 + 1);
  }
  EXPECT_EQ(next(), "1:10");
  EXPECT_EQ(next(), "2:20");
  EXPECT_EQ(next(), "3:30");
  EXPECT_EQ(next(), "");
  release(0);
  EXPECT_EQ(next(), "4:40");
  release(1);
  EXPECT_EQ(next(), "1:11");
}

TEST_F(SchedulerTest, HoldsBackPausedLanesAndGoesOnAfterwards) {
  scheduler_.open_lane(WebhookRef(1), "a");
  scheduler_.pause(WebhookRef(1));
  push(1, 1);
  EXPECT_EQ(next(), "");
  scheduler_.resume(WebhookRef(1));
  EXPECT_EQ(next(), "1:1");
}

TEST_F(SchedulerTest, APausedLaneDoesNotHoldTheSlotThatWasKeptForIt) {
  for (std::uint32_t lane = 1; lane <= 5; ++lane) {
    scheduler_.open_lane(WebhookRef(lane), "shared");
    push(lane, lane * 10);
  }
  EXPECT_EQ(next(), "1:10");
  EXPECT_EQ(next(), "2:20");
  EXPECT_EQ(next(), "3:30");
  EXPECT_EQ(next(), "");
  release(0);  // lane 4 is promised the slot
  scheduler_.pause(WebhookRef(4));
  EXPECT_EQ(next(), "5:50");
  scheduler_.resume(WebhookRef(4));
  EXPECT_EQ(next(), "");
  release(1);
  EXPECT_EQ(next(), "4:40");
}

TEST_F(SchedulerTest, ALaneMovedElsewhereGivesUpItsPlaceAtTheOldHost) {
  for (std::uint32_t lane = 1; lane <= 5; ++lane) {
    scheduler_.open_lane(WebhookRef(lane), "shared");
    push(lane, lane * 10);
  }
  for (int i = 0; i < 3; ++i) EXPECT_NE(next(), "");
  EXPECT_EQ(next(), "");
  scheduler_.move_lane(WebhookRef(4), "elsewhere");
  EXPECT_EQ(next(), "4:40");
  release(0);
  EXPECT_EQ(next(), "5:50");
}

TEST_F(SchedulerTest, RestedLanesWakeByThemselves) {
  scheduler_.open_lane(WebhookRef(1), "a");
  scheduler_.rest(WebhookRef(1), at(5));
  push(1, 1);
  EXPECT_EQ(next(), "");
  EXPECT_EQ(scheduler_.next_due(), at(5));
  EXPECT_EQ(scheduler_.pop_due(at(4)), std::nullopt);
  EXPECT_EQ(next(), "");
  EXPECT_EQ(scheduler_.pop_due(at(5)), std::nullopt);
  EXPECT_EQ(next(), "1:1");
}

TEST_F(SchedulerTest, GivesDelayedDeliveriesByDueTimeThenByOrder) {
  scheduler_.delay(DeliveryRef{0, 1}, at(9));
  scheduler_.delay(DeliveryRef{0, 2}, at(5));
  scheduler_.delay(DeliveryRef{0, 3}, at(5));
  scheduler_.delay(DeliveryRef{0, 4}, at(7));
  scheduler_.undelay(positions_.positions[4]);
  EXPECT_EQ(scheduler_.next_due(), at(5));
  EXPECT_EQ(scheduler_.pop_due(at(9))->match, 2U);
  EXPECT_EQ(scheduler_.pop_due(at(9))->match, 3U);
  EXPECT_EQ(scheduler_.pop_due(at(8)), std::nullopt);
  EXPECT_EQ(scheduler_.pop_due(at(9))->match, 1U);
  EXPECT_EQ(scheduler_.next_due(), std::nullopt);
}

TEST_F(SchedulerTest, PutsADeliveryBackToTheFront) {
  scheduler_.open_lane(WebhookRef(1), "a");
  for (std::uint32_t i = 1; i <= 40; ++i) push(1, i);
  EXPECT_EQ(scheduler_.take(WebhookRef(1))->match, 1U);
  scheduler_.push_front(WebhookRef(1), DeliveryRef{0, 7});
  EXPECT_EQ(next(), "1:7");
  EXPECT_EQ(next(), "1:2");
}

// A world of lanes over few hosts: pushes, starts, releases, pauses, moves. `waiting` is what each
// lane has; a lane could start whenever it is not paused, has something waiting and a slot free in
// itself and at its host, and there is room overall.
struct LaneWorld {
  struct ModelLane {
    int host = 0;
    bool paused = false;
    std::set<std::uint32_t> waiting;
    int in_flight = 0;
  };
  std::map<std::uint32_t, ModelLane> lanes;
  std::map<int, int> host_in_flight;
  std::vector<std::pair<Grant, int>> grants;  // with the host as it was
};

RC_GTEST_PROP(SchedulerProperty, IsFairWithinTheCapsAndLosesNothing, ()) {
  Positions positions;
  const SchedulerLimits limits{*rc::gen::inRange<std::uint32_t>(1, 4),
                               *rc::gen::inRange<std::uint32_t>(1, 5),
                               *rc::gen::inRange<std::uint32_t>(1, 7)};
  Scheduler scheduler(limits, positions, 1);
  LaneWorld world;
  for (std::uint32_t ref = 1; ref <= 6; ++ref) {
    world.lanes[ref].host = *rc::gen::inRange(0, 3);
    scheduler.open_lane(WebhookRef(ref), std::to_string(world.lanes[ref].host));
  }
  std::uint32_t last_delivery = 0;
  const int steps = *rc::gen::inRange(1, 400);
  for (int step = 0; step < steps; ++step) {
    const auto ref = *rc::gen::inRange<std::uint32_t>(1, 7);
    LaneWorld::ModelLane& lane = world.lanes[ref];
    const int what = *rc::gen::inRange(0, 100);
    if (what < 40) {
      lane.waiting.insert(++last_delivery);
      scheduler.push_back(WebhookRef(ref), DeliveryRef{0, last_delivery});
    } else if (what < 70) {
      const auto grant = scheduler.next(MonoTime());
      if (!grant) continue;
      LaneWorld::ModelLane& started = world.lanes[grant->lane.value()];
      RC_ASSERT(!started.paused);
      RC_ASSERT(started.waiting.erase(grant->delivery.match) == 1U);
      RC_ASSERT(++started.in_flight <= static_cast<int>(limits.in_flight_per_lane));
      RC_ASSERT(++world.host_in_flight[started.host] <=
                static_cast<int>(limits.in_flight_per_host));
      world.grants.emplace_back(*grant, started.host);
      RC_ASSERT(world.grants.size() <= limits.in_flight);
    } else if (what < 92 && !world.grants.empty()) {
      const auto index = *rc::gen::inRange<std::size_t>(0, world.grants.size());
      const auto [grant, host] = world.grants[index];
      world.grants.erase(world.grants.begin() + static_cast<std::ptrdiff_t>(index));
      --world.lanes[grant.lane.value()].in_flight;
      --world.host_in_flight[host];
      scheduler.release(grant);
    } else if (what < 95) {
      lane.paused = !lane.paused;
      lane.paused ? scheduler.pause(WebhookRef(ref)) : scheduler.resume(WebhookRef(ref));
    } else if (what < 97) {
      lane.host = *rc::gen::inRange(0, 3);
      scheduler.move_lane(WebhookRef(ref), std::to_string(lane.host));
    }
  }
  // Everything ends: all is started once lanes run and slots fall free.
  for (auto& [ref, lane] : world.lanes) {
    if (lane.paused) scheduler.resume(WebhookRef(ref));
    lane.paused = false;
  }
  for (int turn = 0; turn < 2000; ++turn) {
    while (const auto grant = scheduler.next(MonoTime())) {
      LaneWorld::ModelLane& started = world.lanes[grant->lane.value()];
      RC_ASSERT(started.waiting.erase(grant->delivery.match) == 1U);
      RC_ASSERT(++world.host_in_flight[started.host] <=
                static_cast<int>(limits.in_flight_per_host));
      world.grants.emplace_back(*grant, started.host);
    }
    if (world.grants.empty()) break;
    const auto [grant, host] = world.grants.front();
    world.grants.erase(world.grants.begin());
    --world.host_in_flight[host];
    scheduler.release(grant);
  }
  for (const auto& [ref, lane] : world.lanes) RC_ASSERT(lane.waiting.empty());
  RC_ASSERT(scheduler.in_flight() == 0U);
}

// Lanes that never run dry and never reach their own limit: between two starts of one, no other
// starts more than once, however the slots of hosts and of the whole fall free.
RC_GTEST_PROP(SchedulerProperty, NoLaneStartsTwiceBetweenTwoStartsOfAnotherReadyOne, ()) {
  Positions positions;
  const std::uint32_t per_host = *rc::gen::inRange<std::uint32_t>(1, 5);
  Scheduler scheduler(SchedulerLimits{1000, per_host, *rc::gen::inRange<std::uint32_t>(1, 12)},
                      positions, 1);
  const std::uint32_t lanes = *rc::gen::inRange<std::uint32_t>(2, 8);
  for (std::uint32_t ref = 1; ref <= lanes; ++ref) {
    scheduler.open_lane(WebhookRef(ref), "shared");
    for (std::uint32_t i = 0; i < 300; ++i) scheduler.push_back(WebhookRef(ref), DeliveryRef{0, i});
  }
  std::vector<Grant> grants;
  std::vector<std::uint32_t> starts(lanes + 1, 0);
  for (int step = 0; step < 200; ++step) {
    if (*rc::gen::inRange(0, 2) == 0 && !grants.empty()) {
      const auto index = *rc::gen::inRange<std::size_t>(0, grants.size());
      scheduler.release(grants[index]);
      grants.erase(grants.begin() + static_cast<std::ptrdiff_t>(index));
    } else if (const auto grant = scheduler.next(MonoTime())) {
      grants.push_back(*grant);
      ++starts[grant->lane.value()];
      const auto [least, most] = std::minmax_element(starts.begin() + 1, starts.end());
      RC_ASSERT(*most - *least <= 1U);
    }
  }
}

}  // namespace
}  // namespace triggerd::core
