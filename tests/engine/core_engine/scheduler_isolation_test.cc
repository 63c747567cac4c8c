// Fair turns between organizations, the budget of retries, and lanes whose receivers fare badly.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/scheduler.h"

namespace triggerd::core {
namespace {

using base::Duration;
using base::MonoTime;
using model::WebhookRef;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class NoPositions final : public DelayObserver {
 public:
  void delayed_at(DeliveryRef, base::HeapPosition) override {}
};

model::OrgId org(std::uint8_t number) {
  base::Uuid id;
  id.bytes[15] = number;
  return model::OrgId(id);
}

SchedulerLimits limits_of(std::uint32_t per_lane, std::uint32_t per_host, std::uint32_t in_all) {
  SchedulerLimits limits{per_lane, per_host, in_all, {}};
  limits.isolation.breaker = {3, seconds(1), seconds(4), 0};
  return limits;
}

class SchedulerIsolationTest : public ::testing::Test {
 protected:
  void open(std::uint32_t lane, std::uint8_t organization, const std::string& host) {
    scheduler_.open_lane(WebhookRef(lane), host, org(organization));
  }
  void open(std::uint32_t lane, std::uint8_t organization = 1) {
    open(lane, organization, "host" + std::to_string(lane));
  }
  void push(std::uint32_t lane, std::uint32_t count, Work work = Work::kFresh) {
    for (std::uint32_t i = 0; i < count; ++i) {
      scheduler_.push_back(WebhookRef(lane), DeliveryRef{0, ++last_}, work);
    }
  }
  std::optional<Grant> next() {
    static_cast<void>(scheduler_.pop_due(now_));
    return scheduler_.next(now_);
  }
  // The lanes of the next starts, each over at once.
  std::string turns(int count) {
    std::string order;
    for (int i = 0; i < count; ++i) {
      const auto grant = next();
      if (!grant) break;
      order += std::to_string(grant->lane.value());
      scheduler_.release(*grant);
    }
    return order;
  }
  std::vector<Grant> start_all() {
    std::vector<Grant> grants;
    while (const auto grant = next()) grants.push_back(*grant);
    return grants;
  }
  void end(const Grant& grant, CallResult result, Duration retry_after = Duration(0)) {
    scheduler_.release(grant, {result, milliseconds(10), retry_after}, now_);
  }
  void end_next(CallResult result, Duration retry_after = Duration(0)) {
    const auto grant = next();
    ASSERT_TRUE(grant);
    end(*grant, result, retry_after);
  }

  NoPositions positions_;
  Scheduler scheduler_{limits_of(64, 64, 200), positions_, 1};
  MonoTime now_{std::chrono::hours(1)};
  std::uint32_t last_ = 0;
};

// --- Fair turns -------------------------------------------------------------------------------

TEST_F(SchedulerIsolationTest, AnOrganizationWithManyWebhooksGetsNoMoreTurnsThanOneWithOne) {
  for (std::uint32_t lane = 1; lane <= 4; ++lane) open(lane, 1);
  open(9, 2);
  for (std::uint32_t lane = 1; lane <= 4; ++lane) push(lane, 5);
  push(9, 5);
  EXPECT_EQ(turns(10), "1929394919");
}

TEST_F(SchedulerIsolationTest, OrganizationsShareAHostInTurnToo) {
  Scheduler narrow(limits_of(64, 2, 100), positions_, 1);
  for (std::uint32_t lane = 1; lane <= 5; ++lane) {
    narrow.open_lane(WebhookRef(lane), "shared", org(lane == 5 ? 2 : 1));
    for (std::uint32_t i = 0; i < 9; ++i) narrow.push_back(WebhookRef(lane), DeliveryRef{lane, i});
  }
  std::vector<Grant> grants{*narrow.next(now_), *narrow.next(now_)};
  EXPECT_FALSE(narrow.next(now_));
  std::map<std::uint32_t, int> started;
  for (int i = 0; i < 16; ++i) {
    narrow.release(grants.front());
    grants.erase(grants.begin());
    grants.push_back(*narrow.next(now_));
    ++started[grants.back().lane.value()];
  }
  EXPECT_EQ(started[5], 8) << "one of two organizations: half of the slots";
}

// --- Retries ----------------------------------------------------------------------------------

TEST_F(SchedulerIsolationTest, RetriesAreAFifthOfTheStartsWhileFreshWorkWaits) {
  open(1);
  open(2, 2);
  push(1, 100);
  push(2, 100, Work::kRetry);
  EXPECT_EQ(turns(15), "111121111211112");
  EXPECT_EQ(turns(500).size(), 185U) << "and the rest of them when there is no fresh work";
}

TEST_F(SchedulerIsolationTest, RetriesFlowWhenNoFreshWorkIsReady) {
  open(1);
  open(2);
  push(1, 5);
  push(2, 5, Work::kRetry);
  scheduler_.pause(WebhookRef(1));
  EXPECT_EQ(turns(5), "22222");
}

TEST_F(SchedulerIsolationTest, NeitherRetriesNorFreshWorkOfOneLaneWaitsForEver) {
  open(1);
  open(2);
  push(1, 100);
  push(1, 20, Work::kRetry);
  push(2, 100, Work::kRetry);  // takes all that the budget allows
  std::map<std::uint32_t, int> retries;
  for (int i = 0; i < 100; ++i) {
    const auto grant = next();
    ASSERT_TRUE(grant);
    if (grant->work == Work::kRetry) ++retries[grant->lane.value()];
    scheduler_.release(*grant);
  }
  EXPECT_GE(retries[1], 8);
  EXPECT_GE(retries[2], 8);
  EXPECT_LE(retries[1] + retries[2], 21);
}

TEST_F(SchedulerIsolationTest, RetriesAreServedInFairTurnsToo) {
  for (std::uint32_t lane = 1; lane <= 3; ++lane) open(lane, 1);
  open(9, 2);
  for (const std::uint32_t lane : {1U, 2U, 3U, 9U}) push(lane, 5, Work::kRetry);
  EXPECT_EQ(turns(6), "192939");
}

// --- The circuit breaker ----------------------------------------------------------------------

TEST_F(SchedulerIsolationTest, AReceiverThatOnlyFailsIsLeftAloneThenProbedOnce) {
  open(1);
  push(1, 20);
  for (int i = 0; i < 3; ++i) end_next(CallResult::kFailed);
  EXPECT_FALSE(next());
  EXPECT_FALSE(scheduler_.has_ready()) << "it would be asked again and again";
  EXPECT_EQ(scheduler_.next_due(), now_ + seconds(1));
  now_ += seconds(1);
  const auto probe = next();
  ASSERT_TRUE(probe);
  EXPECT_TRUE(probe->is_probe);
  EXPECT_FALSE(next());
  EXPECT_FALSE(scheduler_.has_ready());
  end(*probe, CallResult::kSucceeded);
  EXPECT_EQ(start_all().size(), 16U);
}

TEST_F(SchedulerIsolationTest, BreakersAreCountedAsTheyChangeAndAsLanesGo) {
  for (const std::uint32_t lane : {1U, 2U}) {
    open(lane);
    push(lane, 3);
    for (int i = 0; i < 3; ++i) end_next(CallResult::kFailed);
  }
  EXPECT_EQ(scheduler_.breakers().open, 2U);
  now_ += seconds(1);
  push(1, 1);
  const auto probe = next();
  ASSERT_TRUE(probe);
  EXPECT_EQ(scheduler_.breakers().open, 1U);
  EXPECT_EQ(scheduler_.breakers().half_open, 1U);
  end(*probe, CallResult::kSucceeded);
  EXPECT_EQ(scheduler_.breakers().half_open, 0U);
  scheduler_.renew_lane(WebhookRef(2));
  EXPECT_EQ(scheduler_.breakers().open, 0U);
  EXPECT_EQ(scheduler_.breakers().to_open, 2U);
  EXPECT_EQ(scheduler_.breakers().to_closed, 2U);

  push(1, 3);
  for (int i = 0; i < 3; ++i) end_next(CallResult::kFailed);
  EXPECT_EQ(scheduler_.breakers().open, 1U);
  scheduler_.close_lane(WebhookRef(1));
  EXPECT_EQ(scheduler_.breakers().open, 0U);
}

TEST_F(SchedulerIsolationTest, EachProbeThatFailsDoublesTheTimeUpToALimit) {
  open(1);
  push(1, 20);
  for (int i = 0; i < 3; ++i) end_next(CallResult::kFailed);
  for (const int wait : {1, 2, 4, 4}) {
    EXPECT_FALSE(next());
    now_ += seconds(wait) - milliseconds(1);
    EXPECT_FALSE(next());
    now_ += milliseconds(1);
    end_next(CallResult::kFailed);
  }
}

TEST_F(SchedulerIsolationTest, OnlyTheProbeTellsWhetherToGoOn) {
  open(1);
  push(1, 20);
  const std::vector<Grant> grants = start_all();
  ASSERT_EQ(grants.size(), 16U);
  for (std::size_t i = 0; i < 3; ++i) end(grants[i], CallResult::kFailed);
  end(grants[3], CallResult::kSucceeded);
  EXPECT_FALSE(next()) << "what began before it opened is old news";
  now_ += seconds(1);
  const auto probe = next();
  ASSERT_TRUE(probe);
  end(grants[4], CallResult::kSucceeded);
  end(grants[5], CallResult::kFailed);
  end(grants[6], CallResult::kNothing);
  EXPECT_FALSE(next()) << "the probe is still under way";
  end(*probe, CallResult::kNothing);
  EXPECT_TRUE(next()) << "it told nothing: another one may";
}

TEST_F(SchedulerIsolationTest, ProbesAreFirstAttemptsAndRetriesInTurn) {
  // A receiver that refuses some events must not be judged by those alone.
  open(1);
  push(1, 8);
  push(1, 8, Work::kRetry);
  for (int i = 0; i < 3; ++i) end_next(CallResult::kFailed);
  std::string kinds;
  for (int i = 0; i < 6; ++i) {
    now_ += seconds(60);
    const auto probe = next();
    ASSERT_TRUE(probe);
    kinds += probe->delivery.match <= 8 ? 'f' : 'r';
    end(*probe, CallResult::kFailed);
  }
  EXPECT_EQ(kinds, "rfrfrf");
}

TEST_F(SchedulerIsolationTest, RetryAfterHoldsAllOfTheLaneBack) {
  open(1);
  open(2);
  push(1, 20);
  const std::vector<Grant> grants = start_all();
  end(grants[0], CallResult::kOverloaded, seconds(20));
  end(grants[1], CallResult::kSucceeded);
  EXPECT_FALSE(next()) << "what was under way does not end the hold";
  for (std::size_t i = 2; i < grants.size(); ++i) end(grants[i], CallResult::kNothing);
  push(2, 1);
  EXPECT_EQ(turns(2), "2");
  now_ += seconds(20) - milliseconds(1);
  EXPECT_FALSE(next());
  now_ += milliseconds(1);
  ASSERT_TRUE(next());
  EXPECT_FALSE(next()) << "one probe";
}

TEST_F(SchedulerIsolationTest, ALongRetryAfterHoldsTheOthersForAWhileOnly) {
  open(1);
  push(1, 20);
  end_next(CallResult::kOverloaded, std::chrono::hours(24));
  now_ += kReceiverHoldMax - milliseconds(1);
  EXPECT_FALSE(next());
  now_ += milliseconds(1);
  EXPECT_TRUE(next());
}

TEST_F(SchedulerIsolationTest, ARenewedLaneForgetsWhatItsReceiverWas) {
  open(1);
  push(1, 40);
  const std::vector<Grant> grants = start_all();
  for (std::size_t i = 0; i < 3; ++i) end(grants[i], CallResult::kOverloaded);
  EXPECT_FALSE(next());
  scheduler_.renew_lane(WebhookRef(1));
  EXPECT_EQ(scheduler_.bound_of(WebhookRef(1)), 16U);
  for (std::size_t i = 3; i < 16; ++i) end(grants[i], CallResult::kOverloaded);
  EXPECT_EQ(scheduler_.bound_of(WebhookRef(1)), 16U) << "they were calls of the other receiver";
  EXPECT_EQ(start_all().size(), 16U);
}

TEST_F(SchedulerIsolationTest, AStartThatWaitedIsHeldAgainstWhatHappenedMeanwhile) {
  open(1);
  push(1, 20);
  std::vector<Grant> grants = start_all();
  EXPECT_TRUE(scheduler_.may_begin(grants[15]));
  for (std::size_t i = 0; i < 3; ++i) end(grants[i], CallResult::kFailed);
  EXPECT_FALSE(scheduler_.may_begin(grants[15]));
  now_ += seconds(1);
  for (std::size_t i = 3; i < 16; ++i) scheduler_.release(grants[i]);
  auto probe = next();
  ASSERT_TRUE(probe);
  EXPECT_TRUE(scheduler_.may_begin(*probe));
}

TEST_F(SchedulerIsolationTest, AStartThatWaitedTellsOfTheTimeWhenItBegan) {
  open(1);
  push(1, 20);
  std::vector<Grant> grants = start_all();
  end(grants[0], CallResult::kOverloaded);
  for (std::size_t i = 1; i < 15; ++i) end(grants[i], CallResult::kNothing);
  EXPECT_EQ(scheduler_.bound_of(WebhookRef(1)), 8U);
  ASSERT_TRUE(scheduler_.may_begin(grants[15]));
  end(grants[15], CallResult::kOverloaded);
  EXPECT_EQ(scheduler_.bound_of(WebhookRef(1)), 4U);
}

TEST_F(SchedulerIsolationTest, NeverOpensWhenItIsSwitchedOff) {
  SchedulerLimits limits = limits_of(64, 64, 64);
  limits.isolation.breaker.failures_to_open = 0;
  limits.isolation.in_flight_start = 0;
  Scheduler plain(limits, positions_, 1);
  plain.open_lane(WebhookRef(1), "a");
  for (std::uint32_t i = 0; i < 500; ++i) plain.push_back(WebhookRef(1), DeliveryRef{0, i});
  for (int i = 0; i < 100; ++i) {
    const auto grant = plain.next(now_);
    ASSERT_TRUE(grant);
    plain.release(*grant, {CallResult::kOverloaded, milliseconds(1), seconds(9)}, now_);
  }
  EXPECT_EQ(plain.bound_of(WebhookRef(1)), 64U);
}

// --- How many at once -------------------------------------------------------------------------

TEST_F(SchedulerIsolationTest, ALaneStartsSmallRisesAndFallsWithItsReceiver) {
  open(1);
  push(1, 1000);
  std::vector<Grant> grants = start_all();
  EXPECT_EQ(grants.size(), 16U);
  for (const Grant& grant : grants) end(grant, CallResult::kSucceeded);
  grants = start_all();
  EXPECT_GT(grants.size(), 16U);
  const std::size_t before = grants.size();
  end(grants[0], CallResult::kOverloaded);
  for (std::size_t i = 1; i < before; ++i) end(grants[i], CallResult::kNothing);
  EXPECT_EQ(start_all().size(), before / 2);
}

TEST_F(SchedulerIsolationTest, ALaneNeverPassesTheBoundOfItsWebhook) {
  open(1);
  scheduler_.configure_lane(WebhookRef(1), {20, std::nullopt}, now_);
  push(1, 5000);
  for (int round = 0; round < 20; ++round) {
    const std::vector<Grant> grants = start_all();
    ASSERT_LE(grants.size(), 20U);
    for (const Grant& grant : grants) end(grant, CallResult::kSucceeded);
  }
  EXPECT_EQ(scheduler_.bound_of(WebhookRef(1)), 20U);
}

// --- Whatever happens -------------------------------------------------------------------------

// Lanes of several organizations over few hosts, with retries, receivers that fail, hold and
// recover, moves and pauses: caps hold, an open breaker lets nothing through but one probe, and
// everything is started in the end.
RC_GTEST_PROP(SchedulerIsolationProperty, HoldsCapsAndBreakersAndStartsAll, ()) {
  NoPositions positions;
  const std::uint32_t per_host = *rc::gen::inRange(1U, 5U);
  const std::uint32_t in_all = *rc::gen::inRange(1U, 9U);
  Scheduler scheduler(limits_of(*rc::gen::inRange(1U, 6U), per_host, in_all), positions, 1);
  constexpr std::uint32_t lanes = 6;
  MonoTime now{std::chrono::hours(1)};
  std::vector<bool> paused(lanes + 1);
  for (std::uint32_t ref = 1; ref <= lanes; ++ref) {
    scheduler.open_lane(WebhookRef(ref), std::to_string(*rc::gen::inRange(0, 3)),
                        org(static_cast<std::uint8_t>(ref % 3)));
  }
  std::vector<Grant> grants;
  std::uint32_t pushed = 0;
  std::uint32_t started = 0;
  const auto turn = [&] {
    static_cast<void>(scheduler.pop_due(now));
    while (auto grant = scheduler.next(now)) {
      ++started;
      RC_ASSERT(!paused[grant->lane.value()]);
      RC_ASSERT(scheduler.may_begin(*grant));
      grants.push_back(*grant);
      std::map<std::uint32_t, std::uint32_t> of_host;
      for (const Grant& each : grants) {
        RC_ASSERT(++of_host[each.host] <= per_host);
        const bool both = each.lane == grant->lane && grant->is_probe && each.is_probe;
        RC_ASSERT(!both || each.delivery == grant->delivery);
      }
      RC_ASSERT(grants.size() <= in_all);
    }
    RC_ASSERT(!scheduler.has_ready());
  };
  const auto release = [&](std::size_t index, CallResult result, Duration retry_after) {
    const Grant grant = grants[index];
    grants.erase(grants.begin() + static_cast<std::ptrdiff_t>(index));
    scheduler.release(grant, {result, milliseconds(5), retry_after}, now);
  };
  for (int step = *rc::gen::inRange(1, 200); step > 0; --step) {
    const std::uint32_t number = *rc::gen::inRange(1U, lanes + 1);
    const WebhookRef ref(number);
    const int what = *rc::gen::inRange(0, 20);
    if (what < 8) {
      scheduler.push_back(ref, DeliveryRef{0, ++pushed},
                          *rc::gen::inRange(0, 2) == 0 ? Work::kFresh : Work::kRetry);
    } else if (what < 15 && !grants.empty()) {
      const auto result = static_cast<CallResult>(*rc::gen::inRange(0, 4));
      const bool holds = result == CallResult::kOverloaded && *rc::gen::inRange(0, 3) == 0;
      release(*rc::gen::inRange<std::size_t>(0, grants.size()), result,
              holds ? seconds(7) : seconds(0));
    } else if (what == 15) {
      paused[number] = !paused[number];
      paused[number] ? scheduler.pause(ref) : scheduler.resume(ref);
    } else if (what == 16) {
      scheduler.move_lane(ref, std::to_string(*rc::gen::inRange(0, 3)));
      scheduler.renew_lane(ref);
    } else if (what == 17) {
      scheduler.rest(ref, now + milliseconds(20));
    } else {
      now += milliseconds(*rc::gen::inRange(0, 3000));
    }
    turn();
  }
  for (std::uint32_t ref = 1; ref <= lanes; ++ref) {
    paused[ref] = false;
    scheduler.resume(WebhookRef(ref));
  }
  for (int i = 0; i < 3000 && (started < pushed || !grants.empty()); ++i) {
    while (!grants.empty()) release(0, CallResult::kSucceeded, Duration(0));
    turn();
    if (!grants.empty() || started == pushed) continue;
    RC_ASSERT(scheduler.next_due().has_value());
    now = std::max(now, *scheduler.next_due());
  }
  RC_ASSERT(started == pushed);
  RC_ASSERT(scheduler.in_flight() == 0U);
}

// Fresh work that never runs dry beside retries that never run dry, with slots that fall free in
// any order: retries are a fifth and a little, and each kind's organizations get equal parts.
RC_GTEST_PROP(SchedulerIsolationProperty, SharesStartsBetweenKindsAndOrganizations, ()) {
  NoPositions positions;
  Scheduler scheduler(limits_of(1000, 1000, *rc::gen::inRange(1U, 12U)), positions, 1);
  const std::uint32_t lanes = *rc::gen::inRange(2U, 9U);
  const std::uint32_t organizations = *rc::gen::inRange(1U, lanes + 1);
  std::vector<Work> kinds(lanes);
  std::map<std::pair<Work, std::uint32_t>, int> starts;
  for (std::uint32_t i = 0; i < lanes; ++i) {
    const std::uint32_t organization = i % organizations;
    scheduler.open_lane(WebhookRef(i), "h" + std::to_string(i),
                        org(static_cast<std::uint8_t>(organization)));
    kinds[i] = i == 0 || *rc::gen::inRange(0, 2) == 0 ? Work::kFresh : Work::kRetry;
    for (std::uint32_t n = 0; n < 800; ++n) {
      scheduler.push_back(WebhookRef(i), DeliveryRef{i, n}, kinds[i]);
    }
    starts[{kinds[i], organization}] = 0;
  }
  std::vector<Grant> grants;
  std::map<Work, int> total;
  for (int step = 0; step < 600; ++step) {
    if (!grants.empty() && *rc::gen::inRange(0, 2) == 0) {
      const auto index = *rc::gen::inRange<std::size_t>(0, grants.size());
      scheduler.release(grants[index]);
      grants.erase(grants.begin() + static_cast<std::ptrdiff_t>(index));
    } else if (const auto grant = scheduler.next(MonoTime())) {
      grants.push_back(*grant);
      ++starts[{grant->work, grant->lane.value() % organizations}];
      ++total[grant->work];
      RC_ASSERT(total[Work::kRetry] * 4 <= total[Work::kFresh]);
    }
  }
  for (const Work kind : {Work::kFresh, Work::kRetry}) {
    int least = 1000;
    int most = 0;
    for (const auto& [of, count] : starts) {
      if (of.first != kind) continue;
      least = std::min(least, count);
      most = std::max(most, count);
    }
    RC_ASSERT(most - least <= 1 || most == 0);
  }
}

}  // namespace
}  // namespace triggerd::core
