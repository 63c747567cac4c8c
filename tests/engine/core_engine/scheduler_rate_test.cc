// Lanes with bounds and rates of their own.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/scheduler.h"

namespace triggerd::core {
namespace {

using base::Duration;
using base::MonoTime;
using model::WebhookRef;
using std::chrono::milliseconds;
using std::chrono::seconds;

class NoPositions final : public DelayObserver {
 public:
  void delayed_at(DeliveryRef, base::HeapPosition) override {}
};

MonoTime at(Duration since_start) {
  return MonoTime(std::chrono::hours(1)) + since_start;
}

class SchedulerRateTest : public ::testing::Test {
 protected:
  void open(std::uint32_t lane, const char* host, LaneSettings settings = {}) {
    scheduler_.open_lane(WebhookRef(lane), host);
    scheduler_.configure_lane(WebhookRef(lane), settings, now_);
  }
  void push(std::uint32_t lane, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      scheduler_.push_back(WebhookRef(lane), DeliveryRef{0, ++last_});
    }
  }
  // How many of each lane start now.
  std::map<std::uint32_t, int> starts() {
    static_cast<void>(scheduler_.pop_due(now_));
    std::map<std::uint32_t, int> started;
    while (const auto grant = scheduler_.next(now_)) {
      ++started[grant->lane.value()];
      grants_.push_back(*grant);
    }
    return started;
  }
  void release_all() {
    for (const Grant& grant : grants_) scheduler_.release(grant);
    grants_.clear();
  }

  using Starts = std::map<std::uint32_t, int>;
  NoPositions positions_;
  Scheduler scheduler_{SchedulerLimits{10, 100, 100}, positions_, 1};
  MonoTime now_ = at(seconds(0));
  std::uint32_t last_ = 0;
  std::vector<Grant> grants_;
};

TEST_F(SchedulerRateTest, ALaneWithoutATokenRestsUntilItHasOneAndOthersFlow) {
  open(1, "a", {std::nullopt, RateLimit{seconds(1), 2}});
  open(2, "b");
  push(1, 5);
  push(2, 3);
  EXPECT_EQ(starts(), (Starts{{1, 2}, {2, 3}}));
  EXPECT_FALSE(scheduler_.has_ready()) << "it would be asked again and again";
  EXPECT_EQ(scheduler_.next_due(), at(seconds(1)));
  now_ = at(milliseconds(999));
  EXPECT_EQ(starts(), Starts());
  now_ = at(seconds(1));
  EXPECT_EQ(starts(), (Starts{{1, 1}}));
}

TEST_F(SchedulerRateTest, ATokenGivenBackIsThereAgain) {
  open(1, "a", {std::nullopt, RateLimit{seconds(1), 1}});
  push(1, 2);
  EXPECT_EQ(starts(), (Starts{{1, 1}}));
  scheduler_.refund(grants_[0]);
  release_all();
  now_ = at(seconds(1));
  EXPECT_EQ(starts(), (Starts{{1, 1}}));
}

TEST_F(SchedulerRateTest, ATokenGivenBackIsTakenAgainUnlessAnotherStartHasIt) {
  open(1, "a", {std::nullopt, RateLimit{seconds(1), 1}});
  open(2, "b", {std::nullopt, std::nullopt});
  push(1, 2);
  push(2, 1);
  EXPECT_EQ(starts(), (Starts{{1, 1}, {2, 1}}));
  EXPECT_FALSE(scheduler_.take_token(grants_[0], now_)) << "it was not given back";
  scheduler_.refund(grants_[0]);
  EXPECT_TRUE(scheduler_.take_token(grants_[0], now_));
  EXPECT_FALSE(scheduler_.take_token(grants_[0], now_));
  EXPECT_TRUE(scheduler_.take_token(grants_[1], now_)) << "it needs none";
}

TEST_F(SchedulerRateTest, AnotherRateHoldsAtOnce) {
  open(1, "a", {std::nullopt, RateLimit{seconds(1000), 1}});
  push(1, 4);
  EXPECT_EQ(starts(), (Starts{{1, 1}}));
  scheduler_.configure_lane(WebhookRef(1), {std::nullopt, RateLimit{seconds(1), 1}}, now_);
  EXPECT_EQ(starts(), Starts());
  EXPECT_EQ(scheduler_.next_due(), at(seconds(1))) << "an empty bucket of the new rate";
  scheduler_.configure_lane(WebhookRef(1), {}, now_);
  EXPECT_EQ(starts(), (Starts{{1, 3}}));
  EXPECT_EQ(scheduler_.next_due(), std::nullopt) << "nothing is left of the old rest";
}

TEST_F(SchedulerRateTest, TheSameSettingsAgainChangeNothing) {
  const LaneSettings settings{std::nullopt, RateLimit{seconds(1), 1}};
  open(1, "a", settings);
  push(1, 2);
  EXPECT_EQ(starts(), (Starts{{1, 1}}));
  for (int i = 0; i < 100; ++i) scheduler_.configure_lane(WebhookRef(1), settings, now_);
  EXPECT_EQ(starts(), Starts());
}

TEST_F(SchedulerRateTest, ALaneWithoutATokenHoldsNoSlotOfItsHost) {
  Scheduler narrow(SchedulerLimits{10, 1, 100}, positions_, 1);
  narrow.open_lane(WebhookRef(1), "shared");
  narrow.open_lane(WebhookRef(2), "shared");
  narrow.configure_lane(WebhookRef(1), {std::nullopt, RateLimit{seconds(100), 1}}, now_);
  for (std::uint32_t i = 0; i < 3; ++i) {
    narrow.push_back(WebhookRef(1), DeliveryRef{0, i});
    narrow.push_back(WebhookRef(2), DeliveryRef{1, i});
  }
  std::string order;
  for (int i = 0; i < 4; ++i) {
    const auto grant = narrow.next(now_);
    ASSERT_TRUE(grant);
    order += std::to_string(grant->lane.value());
    narrow.release(*grant);
  }
  EXPECT_EQ(order, "1222");
}

TEST_F(SchedulerRateTest, ALaneHasABoundOfItsOwn) {
  open(1, "a", {3, std::nullopt});
  open(2, "b");
  push(1, 20);
  push(2, 20);
  EXPECT_EQ(starts(), (Starts{{1, 3}, {2, 10}}));
  scheduler_.configure_lane(WebhookRef(1), {5, std::nullopt}, now_);
  EXPECT_EQ(starts(), (Starts{{1, 2}}));
  scheduler_.configure_lane(WebhookRef(1), {1, std::nullopt}, now_);
  release_all();
  EXPECT_EQ(starts(), (Starts{{1, 1}, {2, 10}}));
}

TEST_F(SchedulerRateTest, AClosedLaneWakesNobody) {
  open(1, "a", {std::nullopt, RateLimit{seconds(1), 1}});
  push(1, 2);
  EXPECT_EQ(starts(), (Starts{{1, 1}}));
  release_all();
  static_cast<void>(scheduler_.take(WebhookRef(1)));
  scheduler_.close_lane(WebhookRef(1));
  EXPECT_EQ(scheduler_.next_due(), std::nullopt);
}

// Lanes with random rates, bounds, rests and changes over shared hosts: no rate and no bound is
// passed in any window, the next due time is always enough, and all is started in the end.
RC_GTEST_PROP(SchedulerRateProperty, KeepsEveryRateAndStartsAll, ()) {
  NoPositions positions;
  Scheduler scheduler(SchedulerLimits{*rc::gen::inRange(1U, 5U), *rc::gen::inRange(1U, 5U), 8},
                      positions, 1);
  constexpr std::uint32_t lanes = 4;
  std::map<std::uint32_t, LaneSettings> settings;
  std::map<std::uint32_t, std::vector<MonoTime>> taken;
  std::map<std::uint32_t, std::uint32_t> in_flight;
  MonoTime now = at(seconds(0));
  for (std::uint32_t ref = 1; ref <= lanes; ++ref) {
    if (*rc::gen::inRange(0, 3) > 0) {
      settings[ref].rate =
          RateLimit{milliseconds(*rc::gen::inRange(1, 3000)), *rc::gen::inRange(1U, 4U)};
    }
    if (*rc::gen::inRange(0, 2) == 0) settings[ref].in_flight_max = *rc::gen::inRange(1U, 4U);
    scheduler.open_lane(WebhookRef(ref), ref % 2 == 0 ? "a" : "b");
    scheduler.configure_lane(WebhookRef(ref), settings[ref], now);
  }
  std::vector<Grant> grants;
  std::uint32_t pushed = 0;
  std::uint32_t started = 0;
  const auto turn = [&] {
    static_cast<void>(scheduler.pop_due(now));
    while (const auto grant = scheduler.next(now)) {
      const std::uint32_t ref = grant->lane.value();
      ++started;
      grants.push_back(*grant);
      taken[ref].push_back(now);
      RC_ASSERT(++in_flight[ref] <= settings[ref].in_flight_max.value_or(5));
      if (!settings[ref].rate) continue;
      const RateLimit& limit = *settings[ref].rate;
      for (std::size_t i = 0; i < taken[ref].size(); ++i) {
        const auto in_window = static_cast<std::int64_t>(taken[ref].size() - i);
        RC_ASSERT(in_window <= (now - taken[ref][i]) / limit.interval + limit.burst);
      }
    }
    RC_ASSERT(!scheduler.has_ready() || scheduler.in_flight() == 8U);
  };
  const auto release = [&](std::size_t index) {
    const Grant grant = grants[index];
    grants.erase(grants.begin() + static_cast<std::ptrdiff_t>(index));
    --in_flight[grant.lane.value()];
    scheduler.release(grant);
  };
  for (int step = 0; step < 100; ++step) {
    const auto ref = WebhookRef(*rc::gen::inRange(1U, lanes + 1));
    const int what = *rc::gen::inRange(0, 10);
    if (what < 4) {
      scheduler.push_back(ref, DeliveryRef{0, ++pushed});
    } else if (what < 6 && !grants.empty()) {
      release(*rc::gen::inRange<std::size_t>(0, grants.size()));
    } else if (what == 6) {
      scheduler.rest(ref, now + milliseconds(20));
    } else {
      now += milliseconds(*rc::gen::inRange(0, 1500));
    }
    turn();
  }
  for (int i = 0; i < 2000 && started < pushed; ++i) {
    while (!grants.empty()) release(0);
    turn();
    if (started == pushed) break;
    if (!grants.empty()) continue;
    RC_ASSERT(scheduler.next_due().has_value());
    now = std::max(now, *scheduler.next_due());
  }
  RC_ASSERT(started == pushed);
}

}  // namespace
}  // namespace triggerd::core
