#include "engine/core/dedup_window.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "engine/base/random.h"

namespace triggerd::core {
namespace {

using base::Duration;
using base::EventId;
using base::OrgId;
using base::WallTime;
using std::chrono::hours;
using std::chrono::seconds;

constexpr Duration kDay = hours(24);
const WallTime kStart = WallTime(hours(24 * 20'000));

OrgId org(std::uint8_t number) {
  base::Uuid uuid;
  uuid.bytes[0] = number;
  return OrgId(uuid);
}
EventId event(std::uint32_t number) {
  base::Uuid uuid;
  for (std::size_t i = 0; i < 4; ++i) {
    uuid.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return EventId(uuid);
}

DedupWindow window_of(std::size_t ids_max) {
  return DedupWindow(DedupOptions{kDay, ids_max, 42});
}

DedupVerdict verdict(const DedupWindow& window, std::uint32_t number, WallTime now) {
  return window.find(org(1), event(number), now).verdict;
}

TEST(DedupWindow, RemembersWhatWasSaidAboutAnEvent) {
  DedupWindow window = window_of(10);
  EXPECT_EQ(verdict(window, 1, kStart), DedupVerdict::kNew);
  window.insert(org(1), event(1), {kStart, 3}, kStart);
  const DedupAnswer answer = window.find(org(1), event(1), kStart + seconds(1));
  EXPECT_EQ(answer.verdict, DedupVerdict::kSeen);
  EXPECT_EQ(answer.seen, (SeenEvent{kStart, 3}));
}

TEST(DedupWindow, KeepsOrganizationsApart) {
  DedupWindow window = window_of(10);
  window.insert(org(1), event(1), {kStart, 3}, kStart);
  EXPECT_EQ(window.find(org(2), event(1), kStart).verdict, DedupVerdict::kNew);
}

TEST(DedupWindow, ForgetsAtTheEndOfTheWindowToTheNanosecond) {
  DedupWindow window = window_of(10);
  window.insert(org(1), event(1), {kStart, 3}, kStart);
  EXPECT_EQ(verdict(window, 1, kStart + kDay - Duration(1)), DedupVerdict::kSeen);
  EXPECT_EQ(verdict(window, 1, kStart + kDay), DedupVerdict::kNew);
}

TEST(DedupWindow, RemembersAnEventThatIsAcceptedAgainAfterTheWindow) {
  DedupWindow window = window_of(10);
  window.insert(org(1), event(1), {kStart, 3}, kStart);
  const WallTime later = kStart + kDay;
  window.insert(org(1), event(1), {later, 5}, later);
  EXPECT_EQ(window.find(org(1), event(1), later).seen, (SeenEvent{later, 5}));
  EXPECT_EQ(window.size(), 1U);
}

TEST(DedupWindow, MakesRoomByForgettingTheOldestAndSaysThatItDoesNotKnow) {
  DedupWindow window = window_of(3);
  for (std::uint32_t i = 1; i <= 4; ++i) {
    window.insert(org(1), event(i), {kStart + seconds(i), 1}, kStart + seconds(i));
  }
  const WallTime now = kStart + seconds(4);
  EXPECT_EQ(window.size(), 3U);
  EXPECT_EQ(verdict(window, 1, now), DedupVerdict::kUnknown);
  EXPECT_EQ(verdict(window, 99, now), DedupVerdict::kUnknown) << "any id may have been evicted";
  for (std::uint32_t i = 2; i <= 4; ++i) EXPECT_EQ(verdict(window, i, now), DedupVerdict::kSeen);
}

TEST(DedupWindow, NeverTrustsItselfAgainAfterForgettingForTheClockMayStepBack) {
  DedupWindow window = window_of(1);
  window.insert(org(1), event(1), {kStart, 1}, kStart);
  window.insert(org(1), event(2), {kStart + seconds(9), 1}, kStart + seconds(9));
  EXPECT_EQ(verdict(window, 1, kStart + kDay - Duration(1)), DedupVerdict::kUnknown);
  EXPECT_EQ(verdict(window, 1, kStart + kDay), DedupVerdict::kUnknown);
  EXPECT_EQ(verdict(window, 2, kStart + kDay), DedupVerdict::kSeen);
}

TEST(DedupWindow, AsksTheStoreAfterARestart) {
  DedupWindow window = window_of(10);
  window.set_incomplete();
  EXPECT_EQ(verdict(window, 1, kStart), DedupVerdict::kUnknown);
  window.insert(org(1), event(1), {kStart - hours(1), 2}, kStart);
  EXPECT_EQ(verdict(window, 1, kStart), DedupVerdict::kSeen) << "what the store knew";
  EXPECT_EQ(verdict(window, 2, kStart + kDay), DedupVerdict::kUnknown);
}

TEST(DedupWindow, IsNotFooledByAnOldIdBehindAYoungOne) {
  DedupWindow window = window_of(10);
  window.insert(org(1), event(1), {kStart, 1}, kStart);
  window.insert(org(1), event(2), {kStart - hours(23), 1}, kStart);
  EXPECT_EQ(verdict(window, 2, kStart + hours(1)), DedupVerdict::kNew);
  EXPECT_EQ(verdict(window, 1, kStart + hours(1)), DedupVerdict::kSeen);
}

TEST(DedupWindow, GivesBackMemoryWithinABudget) {
  DedupWindow window = window_of(100);
  for (std::uint32_t i = 0; i < 100; ++i) window.insert(org(1), event(i), {kStart, 1}, kStart);
  EXPECT_EQ(window.expire(kStart + kDay - Duration(1), 1000), 0U);
  EXPECT_EQ(window.expire(kStart + kDay, 30), 30U);
  EXPECT_EQ(window.size(), 70U);
  EXPECT_EQ(window.expire(kStart + kDay, 1000), 70U);
  EXPECT_EQ(window.size(), 0U);
  EXPECT_EQ(window.forgotten(), 100U);
  EXPECT_EQ(verdict(window, 1, kStart + kDay), DedupVerdict::kUnknown);
}

TEST(DedupWindow, ShrinksByItselfWhileItIsUsed) {
  DedupWindow window = window_of(1000);
  for (std::uint32_t i = 0; i < 1000; ++i) window.insert(org(1), event(i), {kStart, 1}, kStart);
  const WallTime later = kStart + kDay;
  for (std::uint32_t i = 0; i < 400; ++i) {
    window.insert(org(1), event(10'000 + i), {later, 1}, later);
  }
  EXPECT_EQ(window.size(), 400U);
}

TEST(DedupWindow, StaysAtItsLimitHoweverManyIdsCome) {
  constexpr std::uint32_t ids_in_all = 1000;
  DedupWindow window = window_of(ids_in_all);
  base::SeededRandom random(3);
  std::vector<EventId> ids;
  for (std::uint32_t i = 0; i < 20 * ids_in_all; ++i) {
    ids.emplace_back(random.uuid_v4());
    window.insert(org(1), ids.back(), {kStart, i}, kStart);
    ASSERT_LE(window.size(), ids_in_all);
  }
  for (std::uint32_t i = 0; i < 20 * ids_in_all; ++i) {
    const DedupAnswer answer = window.find(org(1), ids[i], kStart);
    ASSERT_EQ(answer.verdict, i >= 19 * ids_in_all ? DedupVerdict::kSeen : DedupVerdict::kUnknown)
        << i;
    ASSERT_EQ(answer.seen.webhooks, i >= 19 * ids_in_all ? i : 0U);
  }
}

TEST(DedupWindowDeathTest, AbortsOnALimitOfZero) {
  EXPECT_DEATH(window_of(0), "ids_max");
}

// The same promises, kept by looking through everything.
class PlainWindow {
 public:
  explicit PlainWindow(std::size_t ids_max) : ids_max_(ids_max) {}

  [[nodiscard]] DedupAnswer find(std::uint8_t org_number, std::uint32_t number,
                                 WallTime now) const {
    for (const Row& row : rows_) {
      if (row.org != org_number || row.number != number) continue;
      if (now - row.seen.accepted_at >= kDay) return {DedupVerdict::kNew, {}};
      return {DedupVerdict::kSeen, row.seen};
    }
    return {complete_ ? DedupVerdict::kNew : DedupVerdict::kUnknown, {}};
  }
  void insert(std::uint8_t org_number, std::uint32_t number, const SeenEvent& seen, WallTime now) {
    for (int i = 0; i < 4 && !rows_.empty(); ++i) {
      if (now - rows_.front().seen.accepted_at < kDay) break;
      drop();
    }
    for (Row& row : rows_) {
      if (row.org == org_number && row.number == number) {
        row.seen = seen;
        return;
      }
    }
    if (rows_.size() == ids_max_) drop();
    rows_.push_back({org_number, number, seen});
  }
  void set_incomplete() { complete_ = false; }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }

 private:
  struct Row {
    std::uint8_t org;
    std::uint32_t number;
    SeenEvent seen;
  };
  void drop() {
    complete_ = false;
    rows_.pop_front();
  }

  std::size_t ids_max_;
  std::deque<Row> rows_;
  bool complete_ = true;
};

struct Step {
  int what;
  std::uint8_t org;
  std::uint32_t number;
  int minutes;
};

RC_GTEST_PROP(DedupWindow, BehavesAsAPlainList, (std::uint64_t seed)) {
  const auto ids_max = *rc::gen::inRange<std::size_t>(1, 20);
  const auto steps = *rc::gen::container<std::vector<Step>>(
      rc::gen::construct<Step>(rc::gen::inRange(0, 20), rc::gen::inRange<std::uint8_t>(0, 2),
                               rc::gen::inRange<std::uint32_t>(0, 30), rc::gen::inRange(-20, 300)));
  DedupWindow window(DedupOptions{kDay, ids_max, seed});
  PlainWindow plain(ids_max);
  WallTime now = kStart;
  for (const Step& step : steps) {
    now += std::chrono::minutes(step.minutes);  // now and then the clock steps back
    if (step.what == 0) {
      window.set_incomplete();
      plain.set_incomplete();
    } else if (step.what < 10) {
      const SeenEvent seen{now, step.number};
      window.insert(org(step.org), event(step.number), seen, now);
      plain.insert(step.org, step.number, seen, now);
    }
    RC_ASSERT(window.size() == plain.size());
    for (std::uint32_t number = 0; number < 30; ++number) {
      const DedupAnswer answer = window.find(org(step.org), event(number), now);
      const DedupAnswer expected = plain.find(step.org, number, now);
      RC_ASSERT(answer.verdict == expected.verdict);
      RC_ASSERT(answer.seen == expected.seen);
    }
  }
}

}  // namespace
}  // namespace triggerd::core
