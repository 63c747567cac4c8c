#include "dispatcher/retry_after.h"

#include <chrono>

#include <gtest/gtest.h>

#include "engine/model/limits.h"

namespace triggerd::dispatcher {
namespace {

using std::chrono::seconds;

const base::WallTime kNow{seconds(784111777)};  // Sun, 06 Nov 1994 08:49:37 GMT

base::Duration parse(std::string_view value) {
  return parse_retry_after(value, kNow);
}

TEST(RetryAfter, TakesSeconds) {
  EXPECT_EQ(parse("0"), seconds(0));
  EXPECT_EQ(parse("120"), seconds(120));
  EXPECT_EQ(parse(" \t5 "), seconds(5));
  EXPECT_EQ(parse("86400"), model::kRetryAfterMax);
}

TEST(RetryAfter, CapsAtADay) {
  EXPECT_EQ(parse("86401"), model::kRetryAfterMax);
  EXPECT_EQ(parse("1000000"), model::kRetryAfterMax);
  EXPECT_EQ(parse("Mon, 14 Nov 1994 08:49:37 GMT"), model::kRetryAfterMax);
}

TEST(RetryAfter, TakesTheThreeFormsOfADate) {
  EXPECT_EQ(parse("Sun, 06 Nov 1994 08:49:38 GMT"), seconds(1));
  EXPECT_EQ(parse("Sun Nov  6 08:50:37 1994"), seconds(60));
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", base::WallTime{}),
            base::Duration(-1))
      << "2094 is more than a year ahead";
  const base::WallTime in_2026{seconds(1767225600)};  // 2026-01-01T00:00:00Z
  EXPECT_EQ(parse_retry_after("Thursday, 01-Jan-26 00:00:09 GMT", in_2026), seconds(9));
}

TEST(RetryAfter, IgnoresWhatNobodyCanMean) {
  for (const char* value : {"",
                            "-1",
                            "+5",
                            "1.5",
                            "5s",
                            "soon",
                            "0x10",
                            "1000000000",
                            "99999999999999999999",
                            "Sun, 06 Nov 1994 08:49:36 GMT",
                            "Sun, 06 Nov 2094 08:49:37 GMT",
                            "Sun, 31 Feb 1995 00:00:00 GMT",
                            "Sun, 06 Nov 1994 25:00:00 GMT",
                            "Sun, 06 Nov 1994 08:49:37 CET",
                            "Sun, 06 Foo 1994 08:49:37 GMT",
                            "06 Nov 1994 08:49:37 GMT",
                            "Sun, 06 Nov 1994",
                            ",",
                            ", GMT",
                            "Sun Nov  6 08:50:37 199x"}) {
    EXPECT_LT(parse(value), base::Duration::zero()) << value;
  }
}

}  // namespace
}  // namespace triggerd::dispatcher
