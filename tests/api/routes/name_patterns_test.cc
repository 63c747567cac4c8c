#include "api/name_patterns.h"

#include <string>

#include <gtest/gtest.h>

#include "engine/model/limits.h"

namespace triggerd::api {
namespace {

bool matches(const std::string& patterns, const std::string& name) {
  const base::Result<NamePatterns> parsed = NamePatterns::parse(patterns);
  EXPECT_TRUE(parsed.ok()) << patterns;
  return parsed.ok() && parsed.value().matches(name);
}

std::string fault_of(const std::string& patterns) {
  const base::Result<NamePatterns> parsed = NamePatterns::parse(patterns);
  return parsed.ok() ? "none" : parsed.error().message;
}

TEST(NamePatterns, a_star_stands_for_any_characters) {
  for (const std::string pattern : {"*", "A*", "*_v1", "A*_v1", "A*n*_v1", "**", "Authentication*",
                                    "*Succeeded*", "AuthenticationSucceeded_v1", "x,A*"}) {
    EXPECT_TRUE(matches(pattern, "AuthenticationSucceeded_v1")) << pattern;
  }
  for (const std::string pattern : {"B*", "*_v2", "A", "a*", "AuthenticationSucceeded_v1*x",
                                    "AuthenticationSucceeded_v", "*d_v1x", "x,y"}) {
    EXPECT_FALSE(matches(pattern, "AuthenticationSucceeded_v1")) << pattern;
  }
  EXPECT_TRUE(matches("*ab*ab", "ababab"));
  EXPECT_FALSE(matches("*ab*abc", "ababab"));
  EXPECT_FALSE(matches("A", ""));
}

TEST(NamePatterns, none_match_every_name) {
  EXPECT_TRUE(NamePatterns().matches("PersonCreated_v1"));
}

TEST(NamePatterns, a_pattern_that_goes_back_often_is_quick) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", std::string(model::kNameBytesMax, 'a')));
}

TEST(NamePatterns, limits) {
  const std::string longest(model::kNameBytesMax, 'a');
  EXPECT_EQ(fault_of(longest), "none");
  EXPECT_EQ(fault_of(longest + "a"), "a name has at most 256 bytes");
  std::string many = "a";
  for (std::size_t i = 1; i < model::kNamePatternsMax; ++i) many += ",a";
  EXPECT_EQ(fault_of(many), "none");
  EXPECT_EQ(fault_of(many + ",a"), "has at most 32 names; use * to say more with less");
  for (const std::string empty : {"", ",a", "a,", "a,,b"}) {
    EXPECT_EQ(fault_of(empty),
              "has an empty name; write names with a comma in between, as Person*,Token*");
  }
}

}  // namespace
}  // namespace triggerd::api
