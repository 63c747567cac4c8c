// What the demo counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <chrono>

#include "app/demo/tally.h"

namespace triggerd::app {
namespace {

base::EventId event_id(std::uint8_t number) {
  base::Uuid uuid;
  uuid.bytes[15] = number;
  return base::EventId(uuid);
}
base::MonoTime at_ms(int ms) {
  return base::MonoTime(std::chrono::hours(1)) + std::chrono::milliseconds(ms);
}

TEST(DemoTally, CountsDeliveriesDuplicatesAndLosses) {
  DemoTally tally;
  tally.sent(event_id(1), at_ms(0));
  tally.sent(event_id(2), at_ms(10));
  tally.called(event_id(1), 0, at_ms(7));  // a fast call overtakes the 202
  tally.accepted(event_id(1), 2);
  tally.accepted(event_id(2), 3);
  tally.called(event_id(1), 1, at_ms(4));
  tally.called(event_id(1), 1, at_ms(5));
  tally.called(event_id(2), 63, at_ms(11));
  tally.rejected();
  EXPECT_EQ(tally.counts().accepted, 2U);
  EXPECT_EQ(tally.counts().expected, 5U);
  EXPECT_EQ(tally.counts().delivered, 3U);
  const DemoFigures figures = tally.figures();
  EXPECT_EQ(figures.accepted, 2U);
  EXPECT_EQ(figures.expected, 5U);
  EXPECT_EQ(figures.delivered, 3U);
  EXPECT_EQ(figures.duplicates, 1U);
  EXPECT_EQ(figures.rejected, 1U);
  EXPECT_EQ(figures.lost, 2U);
  EXPECT_THAT(figures.latencies,
              testing::ElementsAre(std::chrono::milliseconds(1), std::chrono::milliseconds(4),
                                   std::chrono::milliseconds(7)));
}

TEST(DemoTally, AnEventThatWasNotAcceptedIsNotLost) {
  DemoTally tally;
  tally.sent(event_id(1), at_ms(0));
  EXPECT_EQ(tally.figures().lost, 0U);
  EXPECT_EQ(tally.figures().expected, 0U);
}

}  // namespace
}  // namespace triggerd::app
