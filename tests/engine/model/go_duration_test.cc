#include "engine/model/go_duration.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "tests/engine/test_tables.h"

namespace triggerd::model {
namespace {

using base::Duration;

TEST(GoDuration, ReadsAndPrintsAsGoDoes) {
  std::size_t cases = 0;
  for (const test::TableLine& line : test::read_table("tests/data/go_durations.txt")) {
    SCOPED_TRACE("line " + std::to_string(line.number) + ": " + line.text);
    std::string_view rest = line.text;
    const std::string text = test::take_quoted(rest);
    const std::string expected = test::take_word(rest);
    const auto parsed = parse_go_duration(text);
    ++cases;
    if (expected == "error") {
      EXPECT_FALSE(parsed.ok());
      continue;
    }
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(std::to_string(parsed.value().count()), expected);
    EXPECT_EQ(format_go_duration(parsed.value()), rest);
  }
  EXPECT_GE(cases, 60U);
}

// Go's own sum of two such terms wraps around to 0s; no caller can mean that.
TEST(GoDuration, RefusesASumThatWrapsAround) {
  EXPECT_FALSE(parse_go_duration("-9223372036854775808ns9223372036854775808ns").ok());
}

TEST(GoDuration, RefusesATextWithANulByte) {
  EXPECT_FALSE(parse_go_duration(std::string_view("1s\0", 3)).ok());
  EXPECT_FALSE(parse_go_duration(std::string_view("1\0s", 3)).ok());
}

TEST(GoDuration, SaysWhyAndShowsTheRightForm) {
  const auto parsed = parse_go_duration("10");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, base::ErrorCode::kInvalid);
  EXPECT_EQ(parsed.error().message,
            "has a number without a unit; write a duration such as \"10s\", \"500ms\" or "
            "\"1m30s\"");
}

TEST(GoDuration, PrintsTheSmallestAndTheLargest) {
  EXPECT_EQ(format_go_duration(Duration(std::numeric_limits<std::int64_t>::max())),
            "2562047h47m16.854775807s");
  EXPECT_EQ(format_go_duration(Duration(std::numeric_limits<std::int64_t>::min())),
            "-2562047h47m16.854775808s");
}

RC_GTEST_PROP(GoDuration, ComesBackFromItsText, ()) {
  // Shifted, so that every magnitude is met.
  const auto count = *rc::gen::arbitrary<std::int64_t>() >> *rc::gen::inRange(0, 63);
  const Duration duration(count);
  const auto parsed = parse_go_duration(format_go_duration(duration));
  RC_ASSERT(parsed.ok());
  RC_ASSERT(parsed.value() == duration);
}

RC_GTEST_PROP(GoDuration, TakesAnyBytesWithoutHarm, ()) {
  const auto text = *rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::elementOf(std::string("0123456789.+-nsumh\xc2\xb5\xce\xbc")),
                     rc::gen::arbitrary<char>()));
  const auto parsed = parse_go_duration(text);
  if (parsed.ok()) RC_ASSERT(!format_go_duration(parsed.value()).empty());
}

}  // namespace
}  // namespace triggerd::model
