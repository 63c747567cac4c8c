#include "engine/core/mending_watch.h"

#include <gtest/gtest.h>

namespace triggerd::core {
namespace {

using model::EventSeq;

TEST(MendingWatch, ToldOfWhatCameBehindTheBeginning) {
  MendingWatch watch;
  watch.over(EventSeq(1), 0);  // nobody reads
  const std::uint64_t first = watch.began();
  EXPECT_FALSE(watch.is_over_since(first, EventSeq(1), 0));
  watch.over(EventSeq(2), 0);
  const std::uint64_t second = watch.began();
  EXPECT_TRUE(watch.is_over_since(first, EventSeq(2), 0));
  EXPECT_FALSE(watch.is_over_since(first, EventSeq(2), 1));
  EXPECT_FALSE(watch.is_over_since(second, EventSeq(2), 0));
  watch.over(EventSeq(2), 0);
  EXPECT_TRUE(watch.is_over_since(second, EventSeq(2), 0));
}

TEST(MendingWatch, KeepsNoMoreThanTheOldestReadNeeds) {
  MendingWatch watch;
  std::uint64_t read = watch.began();
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    watch.over(EventSeq(i), 0);
    watch.over(EventSeq(i), 0);
    // One is always under way, as with a job.
    const std::uint64_t next = watch.began();
    watch.ended(read);
    read = next;
    EXPECT_LE(watch.noted(), 1U);
  }
  watch.ended(read);
  EXPECT_EQ(watch.noted(), 0U);
  EXPECT_EQ(watch.reads(), 0U);
}

}  // namespace
}  // namespace triggerd::core
