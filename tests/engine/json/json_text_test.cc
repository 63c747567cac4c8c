#include "engine/json/json_text.h"

#include <string>

#include <gtest/gtest.h>

namespace triggerd::json {
namespace {

TEST(RawJson, members_and_elements_come_as_they_were_sent) {
  RawJson raw(" { \"a\" : -1.50 ,\"b\":\t[1 , {\"x\":\"]\"}] , \"c\\\"d\":\"e\\\\\" } ");
  raw.enter();
  ASSERT_TRUE(raw.next());
  raw.skip_name();
  EXPECT_EQ(raw.value(), "-1.50");
  ASSERT_TRUE(raw.next());
  raw.skip_name();
  EXPECT_EQ(raw.value(), "[1 , {\"x\":\"]\"}]");
  ASSERT_TRUE(raw.next());
  raw.skip_name();
  EXPECT_EQ(raw.value(), "\"e\\\\\"");
  EXPECT_FALSE(raw.next());
}

TEST(RawJson, empty_containers_have_no_next) {
  RawJson list("[ ]");
  list.enter();
  EXPECT_FALSE(list.next());
  RawJson object("{}");
  object.enter();
  EXPECT_FALSE(object.next());
}

TEST(RawJson, nested_containers_are_left_where_they_end) {
  RawJson raw("[{\"a\":true},null,[]]");
  raw.enter();
  ASSERT_TRUE(raw.next());
  raw.enter();
  ASSERT_TRUE(raw.next());
  raw.skip_name();
  EXPECT_EQ(raw.value(), "true");
  EXPECT_FALSE(raw.next());
  ASSERT_TRUE(raw.next());
  EXPECT_EQ(raw.value(), "null");
  ASSERT_TRUE(raw.next());
  EXPECT_EQ(raw.value(), "[]");
  EXPECT_FALSE(raw.next());
}

TEST(JsonFault, valid_documents_have_none) {
  for (const char* text :
       {"{}", "[]", "\"\"", "0", "-0.0e+00", "null", " [true , false] ",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\"", "\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\""}) {
    EXPECT_FALSE(find_json_fault(text, 8)) << text;
  }
}

TEST(JsonFault, depth_counts_containers) {
  EXPECT_FALSE(find_json_fault("[[[]]]", 3));
  const auto fault = find_json_fault("[[[]]]", 2);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->offset, 2U);
}

}  // namespace
}  // namespace triggerd::json
