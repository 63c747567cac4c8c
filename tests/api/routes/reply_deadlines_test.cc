#include "api/reply_deadlines.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace triggerd::api {
namespace {

using std::chrono::seconds;

base::MonoTime at(int second) {
  return base::MonoTime(seconds(second));
}

TEST(ReplyDeadlines, an_entry_is_taken_once_by_its_ticket) {
  ReplyDeadlines<int> waiting(10);
  const Ticket ticket = waiting.add(7, seconds(30), at(0));
  EXPECT_EQ(waiting.size(), 1U);
  EXPECT_EQ(waiting.take(ticket), 7);
  EXPECT_EQ(waiting.take(ticket), std::nullopt);
  EXPECT_EQ(waiting.size(), 0U);
  EXPECT_EQ(waiting.next(), std::nullopt);
}

TEST(ReplyDeadlines, a_ticket_does_not_name_who_came_into_its_place) {
  ReplyDeadlines<int> waiting(10);
  const Ticket old = waiting.add(1, seconds(30), at(0));
  waiting.take(old);
  const Ticket young = waiting.add(2, seconds(30), at(1));
  EXPECT_EQ(waiting.take(old), std::nullopt);
  EXPECT_EQ(waiting.take(young), 2);
  EXPECT_EQ(waiting.take(Ticket{99, 1}), std::nullopt);
}

TEST(ReplyDeadlines, an_entry_expires_at_its_deadline_not_before) {
  ReplyDeadlines<int> waiting(10);
  const Ticket ticket = waiting.add(1, seconds(30), at(0));
  waiting.add(2, seconds(5), at(10));
  EXPECT_EQ(waiting.next(), at(15));
  EXPECT_EQ(waiting.take_expired(at(14)), std::nullopt);
  EXPECT_EQ(waiting.take_expired(at(15)), 2);
  EXPECT_EQ(waiting.take_expired(at(15)), std::nullopt);
  EXPECT_EQ(waiting.next(), at(30));
  EXPECT_EQ(waiting.take_expired(at(31)), 1);
  EXPECT_EQ(waiting.take(ticket), std::nullopt);
}

TEST(ReplyDeadlines, no_more_fit_than_the_limit) {
  ReplyDeadlines<int> waiting(2);
  const Ticket first = waiting.add(1, seconds(1), at(0));
  EXPECT_FALSE(waiting.full());
  waiting.add(2, seconds(1), at(0));
  EXPECT_TRUE(waiting.full());
  waiting.take(first);
  EXPECT_FALSE(waiting.full());
}

// Against a plain list that is searched.
RC_GTEST_PROP(ReplyDeadlines, behaves_like_a_list_that_is_searched, ()) {
  struct Known {
    int entry;
    base::MonoTime deadline;
    Ticket ticket;
  };
  ReplyDeadlines<int> waiting(20);
  std::vector<Known> known;
  int now = 0;
  const int steps = *rc::gen::inRange(1, 200);
  for (int step = 0; step < steps; ++step) {
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
      case 1:
        if (!waiting.full()) {
          const int timeout = *rc::gen::element(1, 2, 5, 30);
          known.push_back({step, at(now + timeout), waiting.add(step, seconds(timeout), at(now))});
        }
        break;
      case 2:
        if (!known.empty()) {
          const auto index = *rc::gen::inRange<std::size_t>(0, known.size());
          RC_ASSERT(waiting.take(known[index].ticket) == known[index].entry);
          RC_ASSERT(!waiting.take(known[index].ticket));
          known.erase(known.begin() + static_cast<std::ptrdiff_t>(index));
        }
        break;
      default:
        now += *rc::gen::inRange(0, 4);
        while (const std::optional<int> entry = waiting.take_expired(at(now))) {
          const auto found = std::find_if(known.begin(), known.end(),
                                          [&](const Known& one) { return one.entry == *entry; });
          RC_ASSERT(found != known.end());
          RC_ASSERT(found->deadline <= at(now));
          known.erase(found);
        }
        for (const Known& one : known) RC_ASSERT(one.deadline > at(now));
    }
    RC_ASSERT(waiting.size() == known.size());
    std::optional<base::MonoTime> earliest;
    for (const Known& one : known) {
      if (!earliest || one.deadline < *earliest) earliest = one.deadline;
    }
    RC_ASSERT(waiting.next() == earliest);
  }
}

}  // namespace
}  // namespace triggerd::api
