#include "engine/core/concurrency_limit.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include <gtest/gtest.h>

namespace triggerd::core {
namespace {

using base::Duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kMost = 64;

TEST(ConcurrencyLimitTest, GrowsByOneForEachSuccessUntilItFirstFalls) {
  ConcurrencyLimit limit(4);
  for (int i = 0; i < 4; ++i) limit.succeeded(milliseconds(10), 4, kMost);
  EXPECT_EQ(limit.value(kMost), 8U);
  limit.overloaded(limit.round(), kMost);
  EXPECT_EQ(limit.value(kMost), 4U);
  for (int i = 0; i < 4; ++i) limit.succeeded(milliseconds(10), 4, kMost);
  EXPECT_EQ(limit.value(kMost), 4U) << "a round of successes is one more, and 4 x 1/4 falls short";
  limit.succeeded(milliseconds(10), 4, kMost);
  EXPECT_EQ(limit.value(kMost), 5U);
}

TEST(ConcurrencyLimitTest, FallsOnceARound) {
  ConcurrencyLimit limit(16);
  const auto begun = limit.round();
  for (int i = 0; i < 16; ++i) limit.overloaded(begun, kMost);
  EXPECT_EQ(limit.value(kMost), 8U);
  limit.overloaded(limit.round(), kMost);
  EXPECT_EQ(limit.value(kMost), 4U);
}

TEST(ConcurrencyLimitTest, StaysBetweenOneAndTheBoundOfTheWebhook) {
  ConcurrencyLimit limit(16);
  for (int i = 0; i < 100; ++i) limit.overloaded(limit.round(), kMost);
  EXPECT_EQ(limit.value(kMost), 1U);
  for (int i = 0; i < 10'000; ++i) limit.succeeded(milliseconds(1), kMost, kMost);
  EXPECT_EQ(limit.value(kMost), kMost);
  EXPECT_EQ(limit.value(3), 3U);
  limit.overloaded(limit.round(), 4);
  EXPECT_EQ(limit.value(4), 2U) << "half of the four that were allowed";
}

TEST(ConcurrencyLimitTest, ALowerBoundForAWhileForgetsNothing) {
  ConcurrencyLimit limit(16);
  for (int i = 0; i < 100; ++i) limit.succeeded(milliseconds(10), 1, 1);
  EXPECT_EQ(limit.value(kMost), 16U);
}

TEST(ConcurrencyLimitTest, WhatIsNotUsedDoesNotGrow) {
  ConcurrencyLimit limit(16);
  for (int i = 0; i < 1000; ++i) limit.succeeded(milliseconds(10), 7, kMost);
  EXPECT_EQ(limit.value(kMost), 16U);
  limit.succeeded(milliseconds(10), 8, kMost);
  EXPECT_EQ(limit.value(kMost), 17U);
}

TEST(ConcurrencyLimitTest, StopsGrowingWhileLatencyRisesAndDoesNotFallForIt) {
  ConcurrencyLimit limit(16);
  for (int i = 0; i < 4; ++i) limit.succeeded(milliseconds(50), 16, kMost);
  EXPECT_EQ(limit.value(kMost), 20U);
  for (int i = 0; i < 12; ++i) limit.succeeded(milliseconds(200), 20, kMost);
  const std::uint32_t at_rest = limit.value(kMost);
  for (int i = 0; i < 100; ++i) limit.succeeded(milliseconds(200), at_rest, kMost);
  EXPECT_EQ(limit.value(kMost), at_rest);
  for (int i = 0; i < 30; ++i) limit.succeeded(milliseconds(50), at_rest, kMost);
  EXPECT_GT(limit.value(kMost), at_rest);
}

TEST(ConcurrencyLimitTest, AReceiverThatMovedAwayForGoodIsAcceptedInTheEnd) {
  ConcurrencyLimit limit(16);
  limit.succeeded(milliseconds(10), 16, kMost);
  for (int i = 0; i < 3000; ++i) limit.succeeded(milliseconds(150), 16, kMost);
  EXPECT_GT(limit.value(kMost), 17U);
}

// A receiver that serves `capacity` calls at once, 50 ms each; as many again wait in its queue, and
// more are refused with 503 at once. Its senders always have more to send. Virtual time, no chance:
// the same run each time.
class Receiver {
 public:
  explicit Receiver(std::uint32_t capacity) : capacity_(capacity) {}
  void set_capacity(std::uint32_t capacity) { capacity_ = capacity; }

  struct Answer {
    Duration at{0};
    bool accepted = false;
  };
  Answer call(Duration now) {
    std::erase_if(ends_, [now](Duration end) { return end <= now; });
    if (ends_.size() >= std::size_t{2} * capacity_) return {now + milliseconds(1), false};
    // It is served once so few are before it that one of the places is free.
    Duration begin = now;
    if (ends_.size() >= capacity_) begin = *(ends_.end() - capacity_);
    ends_.push_back(std::max(begin, now) + kService);
    return {ends_.back(), true};
  }
  [[nodiscard]] double full_rate() const { return capacity_ / 0.05; }

 private:
  static constexpr Duration kService = milliseconds(50);
  std::uint32_t capacity_;
  std::vector<Duration> ends_;  // in order: all take equally long
};

struct Sender {
  ConcurrencyLimit limit{16};
  std::uint32_t in_flight = 0;
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  double limit_seconds = 0;  // the limit, integrated
};

class Traffic {
 public:
  Traffic(std::uint32_t capacity, std::size_t senders) : receiver_(capacity), senders_(senders) {}

  // What each sender has seen in that time.
  std::vector<Sender> run(Duration length) {
    for (Sender& sender : senders_) {
      sender.accepted = sender.refused = 0;
      sender.limit_seconds = 0;
    }
    const Duration until = now_ + length;
    for (fill(); now_ < until; fill()) {
      const auto first = calls_.begin();
      const Call call = first->second;
      integrate(first->first - now_);
      now_ = first->first;
      calls_.erase(first);
      Sender& sender = senders_[call.sender];
      const std::uint32_t in_use = sender.in_flight--;
      if (call.accepted) {
        ++sender.accepted;
        sender.limit.succeeded(now_ - call.begun, in_use, kMost);
      } else {
        ++sender.refused;
        sender.limit.overloaded(call.round, kMost);
      }
    }
    return senders_;
  }
  Receiver& receiver() { return receiver_; }

 private:
  struct Call {
    std::size_t sender = 0;
    Duration begun{0};
    bool accepted = false;
    ConcurrencyLimit::Round round = 0;
  };

  void fill() {
    for (std::size_t i = 0; i < senders_.size(); ++i) {
      Sender& sender = senders_[i];
      for (; sender.in_flight < sender.limit.value(kMost); ++sender.in_flight) {
        const Receiver::Answer answer = receiver_.call(now_);
        calls_.emplace(answer.at, Call{i, now_, answer.accepted, sender.limit.round()});
      }
    }
  }
  void integrate(Duration passed) {
    for (Sender& sender : senders_) {
      sender.limit_seconds +=
          sender.limit.value(kMost) * std::chrono::duration<double>(passed).count();
    }
  }

  Receiver receiver_;
  std::vector<Sender> senders_;
  std::multimap<Duration, Call> calls_;
  Duration now_{0};
};

void expect_settled(const Sender& seen, double seconds_long, double capacity, double rate) {
  const double mean = seen.limit_seconds / seconds_long;
  EXPECT_GE(mean, 0.7 * capacity);
  EXPECT_LE(mean, 2.2 * capacity);
  EXPECT_GE(static_cast<double>(seen.accepted) / seconds_long, 0.85 * rate) << "it stays busy";
  EXPECT_LE(seen.refused, seen.accepted / 25) << "it is seldom asked for too much";
}

TEST(ConcurrencyLimitSimulation, SettlesNearWhatTheReceiverTakes) {
  for (const std::uint32_t capacity : {4U, 8U, 12U, 20U, 30U}) {
    Traffic traffic(capacity, 1);
    traffic.run(seconds(10));
    SCOPED_TRACE(capacity);
    const Sender seen = traffic.run(seconds(60))[0];
    expect_settled(seen, 60, capacity, traffic.receiver().full_rate());
  }
}

TEST(ConcurrencyLimitSimulation, FollowsAReceiverThatLosesHalfAndGetsItBack) {
  Traffic traffic(24, 1);
  traffic.run(seconds(20));
  traffic.receiver().set_capacity(12);
  traffic.run(seconds(5));
  expect_settled(traffic.run(seconds(30))[0], 30, 12, 240);
  traffic.receiver().set_capacity(24);
  traffic.run(seconds(10));
  expect_settled(traffic.run(seconds(30))[0], 30, 24, 480);
}

TEST(ConcurrencyLimitSimulation, SeveralWebhooksOfOneReceiverShareIt) {
  Traffic traffic(24, 3);
  traffic.run(seconds(30));
  const std::vector<Sender> seen = traffic.run(seconds(120));
  std::uint64_t accepted = 0;
  for (const Sender& sender : seen) accepted += sender.accepted;
  EXPECT_GE(static_cast<double>(accepted) / 120, 0.85 * 480);
  for (const Sender& sender : seen) {
    EXPECT_GE(static_cast<double>(sender.accepted), 0.4 * static_cast<double>(accepted) / 3);
    EXPECT_LE(static_cast<double>(sender.accepted), 2.0 * static_cast<double>(accepted) / 3);
  }
}

TEST(ConcurrencyLimitSimulation, AReceiverWithRoomGetsAllThatTheWebhookMayHave) {
  Traffic traffic(200, 1);
  traffic.run(seconds(2));
  EXPECT_EQ(traffic.run(seconds(1))[0].limit.value(kMost), kMost);
}

}  // namespace
}  // namespace triggerd::core
