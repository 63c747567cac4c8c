#include "api/percent.h"

#include <gmock/gmock.h>

namespace triggerd::api {
namespace {

TEST(Percent, decoding) {
  EXPECT_EQ(percent_decode("a%20b%2Bc+d", Plus::kIsSpace), "a b+c d");
  EXPECT_EQ(percent_decode("a+b", Plus::kIsPlus), "a+b");
  EXPECT_EQ(percent_decode("%00%ff%E9", Plus::kIsPlus), std::string("\0\xff\xe9", 3));
  EXPECT_EQ(percent_decode("", Plus::kIsPlus), "");
  for (const char* bad : {"%", "%2", "a%", "%g0", "%0g", "%%20", "%-1"}) {
    EXPECT_FALSE(percent_decode(bad, Plus::kIsPlus)) << bad;
  }
}

TEST(Percent, parameters) {
  EXPECT_EQ(required_parameter("a=1&b=2&c", "b").value(), "2");
  EXPECT_EQ(required_parameter("&&b=x%3D=y&", "b").value(), "x==y");
  EXPECT_EQ(required_parameter("%62=2", "b").value(), "2");
  for (const char* query : {"", "a=1", "b", "b=", "b=1&b=1", "b=1&%62=2", "b=%", "bb=1", "%b=1"}) {
    const base::Result<std::string> value = required_parameter(query, "b");
    ASSERT_FALSE(value.ok()) << query;
    EXPECT_THAT(value.error().message, ::testing::HasSubstr("query parameter b"));
    EXPECT_EQ(value.error().code, base::ErrorCode::kInvalid);
  }
}

}  // namespace
}  // namespace triggerd::api
